"""The schema's versions, up and down, by Alembic."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

_MIGRATIONS: Final = Path(__file__).resolve().parents[3] / "migrations"


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration, without a file, so that it is the same in a checkout and in an installed package."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def upgrade(connection: Connection, revision: str = "head") -> None:
    command.upgrade(alembic_config(connection), revision)


def downgrade(connection: Connection, revision: str) -> None:
    command.downgrade(alembic_config(connection), revision)
