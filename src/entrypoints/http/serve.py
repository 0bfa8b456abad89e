"""Serving the application on a port, in the event loop that is there."""

import asyncio
import socket
from collections.abc import Callable
from typing import Final

from granian.constants import Interfaces
from granian.server.embed import Server
from litestar import Litestar

_START_PATIENCE: Final = 15.0  # Seconds until the port must answer.


class PortBusy(Exception):
    """Something else listens there."""


def check_port(host: str, port: int) -> None:
    """Raises PortBusy. Needed because the server would share a busy port without a word."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            message = (
                f"Port {port} on {host} cannot be used ({error.strerror}). "
                f"Stop what runs there, or choose another: PROFFER_PORT={port + 1} make run"
            )
            raise PortBusy(message) from error


async def serve_until(app: Litestar, host: str, port: int, stop: asyncio.Event, ready: Callable[[], None]) -> None:
    """Serve until *stop* is set, then let requests finish. *ready* is called once the port answers."""
    server = Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        log_enabled=False,  # Every request is logged once, by us.
        websockets=False,
    )
    serving = asyncio.create_task(server.serve())
    stopped = asyncio.create_task(stop.wait())
    try:
        await _wait_for_port(host, port, serving)
        ready()
        await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopped.cancel()
        server.stop()  # type: ignore[no-untyped-call]  # Granian types it not.
        await serving
        stop.set()


async def _wait_for_port(host: str, port: int, serving: asyncio.Task[None]) -> None:
    async with asyncio.timeout(_START_PATIENCE):
        while not serving.done():
            try:
                _, writer = await asyncio.open_connection(host, port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                await writer.wait_closed()
                return
