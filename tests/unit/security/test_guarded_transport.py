"""Where tenants' addresses may lead, and where not."""

import asyncio
import socket
from typing import Any

import httpx2
import pytest

from src.adapters.oidc.guarded_transport import AddressRefused, GuardedTransport, is_outside

INWARD = [
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.255", "169.254.169.254"),
    *("172.16.0.1", "172.31.255.255", "192.0.0.9", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1"),
    *("198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1"),
    *("64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "fc00::1", "fd12::1", "fe80::1", "fec0::1"),
    *("ff02::1", "ff0e::1"),
]
OUTWARD = ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("address", INWARD)
def test_inward_addresses_are_refused(address: str) -> None:
    assert not is_outside(address, ())


@pytest.mark.parametrize("address", OUTWARD)
def test_public_addresses_are_taken(address: str) -> None:
    assert is_outside(address, ())


def test_an_operator_may_open_a_network() -> None:
    assert is_outside("10.1.2.3", ("10.1.0.0/16",))
    assert not is_outside("10.2.2.3", ("10.1.0.0/16", "fd00::/8"))


HOSTILE = [
    *("127.0.0.1", "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "0", "localhost", "[::1]", "[::ffff:127.0.0.1]"),
    *("[::]", "169.254.169.254", "10.0.0.1", "192.168.0.1", "[fe80::1]", "[64:ff9b::7f00:1]"),
]


@pytest.mark.asyncio
@pytest.mark.parametrize("host", HOSTILE)
async def test_nothing_connects_inwards_however_it_is_written(host: str) -> None:
    """A canary listens on loopback, and hears nothing."""
    heard: list[object] = []

    async def hear(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(writer)
        writer.close()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with httpx2.AsyncClient(transport=GuardedTransport(), trust_env=False) as client:
        for scheme in ("http", "https"):
            with pytest.raises((httpx2.TransportError, httpx2.InvalidURL)):
                await client.get(f"{scheme}://{host}:{port}/")
    server.close()
    await server.wait_closed()

    assert heard == []


@pytest.mark.asyncio
async def test_a_name_with_one_inward_address_is_refused_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    async def both(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in ("8.8.8.8", "127.0.0.1")]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", both)
    async with httpx2.AsyncClient(transport=GuardedTransport(), trust_env=False) as client:
        with pytest.raises(AddressRefused):
            await client.get("https://rebound.example/")


@pytest.mark.asyncio
async def test_plain_http_is_for_opened_networks_only(monkeypatch: pytest.MonkeyPatch) -> None:
    async def public(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 80))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", public)
    async with httpx2.AsyncClient(transport=GuardedTransport(("127.0.0.0/8",)), trust_env=False) as client:
        with pytest.raises(AddressRefused, match="https"):
            await client.get("http://public.example/")
