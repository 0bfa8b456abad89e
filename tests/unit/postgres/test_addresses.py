"""The addresses of the roles, as they follow from the administrator's."""

import pytest
from sqlalchemy.engine import make_url

from src.adapters.postgres.addresses import AddressUnusable, administrators_url, password_of, role_urls
from src.entrypoints.settings import SettingsError, read_settings

SECRET = "s" * 40


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("postgres://u:p@host/db", "postgresql+asyncpg://u:p@host/db"),
        ("postgresql://u:p@host:6432/db", "postgresql+asyncpg://u:p@host:6432/db"),
        ("postgresql+psycopg2://u:p@host/db", "postgresql+asyncpg://u:p@host/db"),
        ("postgres://u:p@host/db?sslmode=verify-full", "postgresql+asyncpg://u:p@host/db?ssl=verify-full"),
        ("postgres://u:p@host/db?ssl=require", "postgresql+asyncpg://u:p@host/db?ssl=require"),
        ("postgres://u:p@host/db?application_name=x&connect_timeout=9", "postgresql+asyncpg://u:p@host/db"),
        ("postgres://u:p%40%2F@[::1]/db", "postgresql+asyncpg://u:p%40%2F@[::1]/db"),
        ("postgresql:///db?host=/run/postgresql", "postgresql+asyncpg:///db?host=%2Frun%2Fpostgresql"),
    ],
)
def test_addresses_in_the_form_of_libpq_are_translated(given: str, expected: str) -> None:
    assert administrators_url(given).render_as_string(hide_password=False) == expected


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("nonsense of hunter2", "Write it as postgresql://"),
        ("postgres://u:hunter2@host:port/db", "Write it as postgresql://"),
        ("mysql://u:hunter2@host/db", "needs a PostgreSQL"),
        ("postgres://u:hunter2@host/db?channel_binding=require", "Take channel_binding out"),
        ("postgres://u:hunter2@host/db?sslmode=require&sslrootcert=/x&options=-c", "Take options, sslrootcert out"),
        ("postgres://u:hunter2@host/db?sslmode=maybe", "sslmode must be one of"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence_without_the_password(given: str, told: str) -> None:
    with pytest.raises(AddressUnusable, match=told) as refused:
        administrators_url(given)
    with pytest.raises(SettingsError, match="PROFFER_DATABASE_URL cannot be used") as named:
        read_settings({"PROFFER_DATABASE_URL": given, "PROFFER_SECRET_KEY": SECRET})

    assert "hunter2" not in f"{refused.value}{named.value}"


def test_every_role_has_a_password_of_its_own_which_follows_from_the_secret() -> None:
    urls = role_urls("postgres://admin:p@host:6432/db?sslmode=require", SECRET)
    parsed = [make_url(url) for url in (urls.owner, urls.app, urls.operator, urls.worker)]

    assert [url.username for url in parsed] == ["proffer_owner", "proffer_app", "proffer_operator", "proffer_worker"]
    assert len({url.password for url in parsed}) == 4
    assert {(url.host, url.port, url.database, url.query["ssl"]) for url in parsed} == {("host", 6432, "db", "require")}
    assert password_of("proffer_app", SECRET) != password_of("proffer_app", SECRET + "x")
