"""Configuration: every variable that Proffer reads, its default and its meaning. Nothing else reads the environment."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

from src.adapters.smtp.settings import SmtpSettings
from src.application.ports.mail import is_sendable
from src.domain.audit.retention import LEAST_MONTHS

DEFAULT_PORT = 8000
SHORTEST_SECRET = 32


class SettingsError(Exception):
    """A variable that cannot be used; the message names it and says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Read once at start-up. *database_url* None: the embedded PostgreSQL under *home*. Sizes of attachments are in MiB."""

    home: Path
    host: str
    port: int
    database_url: str | None
    postgres_binaries: Path | None
    secret_key: str
    previous_secret_keys: tuple[str, ...]
    storage_url: str
    largest_attachment: int
    attachment_quota: int
    attachments_per_subject: int
    audit_heads_url: str
    audit_months: int
    smtp: SmtpSettings | None
    mail_from: str
    public_url: str
    account_page: str
    approvals_page: str
    logins_per_address: int
    requests_per_minute: Mapping[str, int]
    require_idempotency_keys: bool
    metrics_token: str
    traces_endpoint: str
    sentry_dsn: str
    private_networks: tuple[str, ...]
    log_format: str
    log_level: str
    trusted_proxies: int
    cors_origins: tuple[str, ...]
    pool_size: int
    export_rows_at_once: int


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings from the ``PROFFER_…`` variables. Raises SettingsError."""
    variables = os.environ if environment is None else environment
    home = Path(variables.get("PROFFER_HOME", "var")).absolute()
    port = _whole_number(variables, "PROFFER_PORT", DEFAULT_PORT, highest=65535)
    host = variables.get("PROFFER_HOST", "127.0.0.1")
    binaries = variables.get("PROFFER_POSTGRES_BIN")
    public_url = variables.get("PROFFER_PUBLIC_URL", f"http://{host}:{port}").rstrip("/")
    return Settings(
        home=home,
        host=host,
        port=port,
        database_url=_database_url(variables),
        postgres_binaries=Path(binaries) if binaries else None,
        secret_key=_secret_key(variables, home),
        previous_secret_keys=_previous_secret_keys(variables),
        storage_url=variables.get("PROFFER_STORAGE_URL") or str(home / "storage"),
        largest_attachment=_whole_number(variables, "PROFFER_LARGEST_ATTACHMENT", 25, lowest=1, highest=1024),
        attachment_quota=_whole_number(variables, "PROFFER_ATTACHMENT_QUOTA", 5120, highest=100_000_000),
        attachments_per_subject=_whole_number(
            variables, "PROFFER_ATTACHMENTS_PER_SUBJECT", 100, lowest=1, highest=10_000
        ),
        audit_heads_url=variables.get("PROFFER_AUDIT_HEADS_URL") or str(home / "audit-heads"),
        audit_months=_audit_months(variables),
        smtp=_smtp(variables),
        mail_from=_mail_from(variables),
        public_url=public_url,
        account_page=variables.get("PROFFER_ACCOUNT_PAGE") or f"{public_url}/account",
        approvals_page=(variables.get("PROFFER_APPROVALS_PAGE") or f"{public_url}/approvals").rstrip("/"),
        requests_per_minute=_rates(variables),
        require_idempotency_keys=_choice(variables, "PROFFER_REQUIRE_IDEMPOTENCY_KEYS", ("no", "yes")) == "yes",
        metrics_token=variables.get("PROFFER_METRICS_TOKEN", ""),
        traces_endpoint=variables.get("PROFFER_TRACES_ENDPOINT", ""),
        private_networks=_networks(variables),
        sentry_dsn=variables.get("PROFFER_SENTRY_DSN", ""),
        logins_per_address=_whole_number(variables, "PROFFER_LOGINS_PER_ADDRESS", 10, lowest=1, highest=100_000),
        log_format=_choice(variables, "PROFFER_LOG_FORMAT", ("console", "json")),
        log_level=_choice(variables, "PROFFER_LOG_LEVEL", ("info", "debug", "warning", "error")),
        trusted_proxies=_whole_number(variables, "PROFFER_TRUSTED_PROXIES", 0, highest=10),
        cors_origins=tuple(
            origin.strip() for origin in variables.get("PROFFER_CORS_ORIGINS", "").split(",") if origin.strip()
        ),
        pool_size=_whole_number(variables, "PROFFER_POOL_SIZE", 5, highest=100),
        export_rows_at_once=_whole_number(
            variables, "PROFFER_EXPORT_ROWS_AT_ONCE", 10_000, lowest=1, highest=1_000_000
        ),
    )


def _database_url(variables: Mapping[str, str]) -> str | None:
    url = variables.get("PROFFER_DATABASE_URL")
    if not url:
        return None
    from src.adapters.postgres.addresses import AddressUnusable, administrators_url

    try:
        administrators_url(url)
    except AddressUnusable as error:
        raise SettingsError(f"PROFFER_DATABASE_URL cannot be used. {error}") from None
    return url


def _mail_from(variables: Mapping[str, str]) -> str:
    return variables.get("PROFFER_MAIL_FROM", "quotes@proffer.invalid")


def _return_path(variables: Mapping[str, str]) -> str:
    address = variables.get("PROFFER_MAIL_RETURN_PATH", "")
    if address and not is_sendable(address):
        raise SettingsError(
            f"PROFFER_MAIL_RETURN_PATH is {address!r}; it must be one address, like bounces@example.com."
        )
    return address


def _smtp(variables: Mapping[str, str]) -> SmtpSettings | None:
    url, return_path = variables.get("PROFFER_SMTP_URL"), _return_path(variables)
    if not url:
        return None
    try:
        return SmtpSettings.parse(url, sender_address=_mail_from(variables), return_path=return_path)
    except ValueError as error:
        raise SettingsError(f"PROFFER_SMTP_URL cannot be used. {error}") from None


def _whole_number(variables: Mapping[str, str], name: str, default: int, *, highest: int, lowest: int = 0) -> int:
    text = variables.get(name, str(default))
    if not text.isascii() or not text.isdigit() or not lowest <= int(text) <= highest:
        raise SettingsError(f"{name} is {text!r}; it must be a whole number from {lowest} to {highest}.")
    return int(text)


def _audit_months(variables: Mapping[str, str]) -> int:
    """0 keeps entries for ever."""
    months = _whole_number(variables, "PROFFER_AUDIT_MONTHS", 0, highest=1200)
    if 0 < months < LEAST_MONTHS:
        raise SettingsError(f"PROFFER_AUDIT_MONTHS is {months}; it must be 0, for ever, or at least {LEAST_MONTHS}.")
    return months


def _networks(variables: Mapping[str, str]) -> tuple[str, ...]:
    given = variables.get("PROFFER_PRIVATE_NETWORKS", "").split()
    for one in given:
        try:
            ip_network(one)
        except ValueError:
            raise SettingsError(
                f"PROFFER_PRIVATE_NETWORKS has {one!r}; write networks like 10.1.0.0/16, separated by spaces."
            ) from None
    return tuple(given)


def _rates(variables: Mapping[str, str]) -> Mapping[str, int]:
    """``address=1200 user=600 key=1200 organization=6000``; what is not named has its default, 0 does not limit."""
    rates = {}
    for word in variables.get("PROFFER_REQUESTS_PER_MINUTE", "").split():
        name, _, number = word.partition("=")
        if name not in {"address", "user", "key", "organization"} or not (number.isascii() and number.isdigit()):
            raise SettingsError(
                f"PROFFER_REQUESTS_PER_MINUTE has {word!r}; write it like: address=1200 user=600 key=1200 "
                "organization=6000."
            )
        rates[name] = int(number)
    return rates


def _choice(variables: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """The first choice is the default."""
    text = variables.get(name, choices[0]).lower()
    if text not in choices:
        raise SettingsError(f"{name} is {text!r}; it must be one of {', '.join(choices)}.")
    return text


def _previous_secret_keys(variables: Mapping[str, str]) -> tuple[str, ...]:
    """Keys of before, newest first: what they have signed and sealed is still read."""
    given = variables.get("PROFFER_PREVIOUS_SECRET_KEYS", "").split()
    if any(len(key) < SHORTEST_SECRET for key in given):
        raise SettingsError(
            f"PROFFER_PREVIOUS_SECRET_KEYS has a key that is too short; they are separated by spaces, and each has at "
            f"least {SHORTEST_SECRET} characters."
        )
    return tuple(given)


def _secret_key(variables: Mapping[str, str], home: Path) -> str:
    """Tokens are signed and database passwords derived from it. Without the variable, one is made and kept under *home*."""
    given = variables.get("PROFFER_SECRET_KEY")
    if given is not None:
        if len(given) < SHORTEST_SECRET:
            raise SettingsError(f"PROFFER_SECRET_KEY is too short; at least {SHORTEST_SECRET} characters are needed.")
        return given
    path = home / "secret-key"
    try:
        home.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    except OSError as error:
        raise SettingsError(
            f"The secret key cannot be kept at {path}: {error.strerror}. Set PROFFER_HOME or PROFFER_SECRET_KEY."
        ) from error
    return path.read_text().strip()
