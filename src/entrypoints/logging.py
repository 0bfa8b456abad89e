"""Logs: one line for each event, JSON for machines or console for people, without secrets."""

import logging
import re
import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

REDACTED: Final = "[redacted]"
_SECRET_KEY: Final = re.compile(
    r"password|passwd|token|secret|authorization|cookie|api[_-]?key|credential", re.IGNORECASE
)
# Each with words one of which it needs, in small letters: looking for these takes a twentieth of the time.
_SECRET_TEXT: Final = (
    (("bearer", "basic"), re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}"), r"\1 " + REDACTED),
    (("eyj",), re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"), REDACTED),
    (("://",), re.compile(r"://[^/\s:@]+:[^@/\s]+@"), f"://{REDACTED}@"),
    (
        ("password", "passwd", "token", "secret", "api"),
        re.compile(
            r"(?i)\b(\w*(?:password|passwd|token|secret|(?:secret|api)[_-]?key))([\"']?\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;&]+)"
        ),
        r"\1\2" + REDACTED,
    ),
)
_NOISY: Final = ("httpx", "httpcore", "asyncio", "pgqueuer", "_granian", "granian.access", "aiosqlite")


def configure_logging(log_format: str, level: str, stream: TextIO | None = None) -> None:
    """Send our own events and everybody's stdlib logging through the same pipe, to *stream* or standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=stream is None and sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A processor: no secrets, and no control characters that would make two lines of one."""
    return {key: _clean(key, value) for key, value in event.items()}


def _clean(key: str, value: object) -> object:
    if key.startswith("_"):  # structlog's own.
        return value
    if value is not None and _names_a_secret(key):
        return REDACTED
    if isinstance(value, str):
        return _clean_text(value, keep_lines=key == "exception")
    if isinstance(value, Mapping):
        return {inner: _clean(str(inner), item) for inner, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean("", item) for item in value]
    return value


@lru_cache(1000)
def _names_a_secret(key: str) -> bool:
    return _SECRET_KEY.search(key) is not None


def _clean_text(text: str, *, keep_lines: bool) -> str:
    small = text.casefold()
    for words, pattern, replacement in _SECRET_TEXT:
        # Beyond ASCII there are letters that a pattern takes for others, and folding does not.
        if not text.isascii() or any(word in small for word in words):
            text = pattern.sub(replacement, text)
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or (keep_lines and character == "\n") else repr(character)[1:-1]
        for character in text
    )
