"""Pools of connections, one for each database role."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

# A request may not hold rows for long; jobs render and mail outside of transactions.
_SERVER_SETTINGS: Final = {
    "application_name": "proffer",
    "statement_timeout": "5000",
    "idle_in_transaction_session_timeout": "10000",
    "timezone": "UTC",
    "datestyle": "ISO",
}


def make_engine(url: str, *, pool_size: int, patience: float = 1.0) -> AsyncEngine:
    """At most *pool_size* connections; whoever finds none free for *patience* seconds gets an error instead of a queue.

    Errors never repeat parameters, because row-level security hides them for a reason.
    """
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=patience,
        pool_pre_ping=False,
        pool_recycle=1800,
        hide_parameters=True,
        connect_args={"server_settings": _SERVER_SETTINGS, "timeout": 5},
    )
