"""HTTP to addresses that tenants name: never inwards, never far, never much."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

import httpx2

LARGEST_ANSWER: Final = 1024 * 1024
PATIENCE: Final = 10.0  # Seconds for one request, from the name to the last byte.

# What ``is_global`` of Python 3.11 takes for outside and is not: see the tests' table.
_INWARD: Final = tuple(
    ip_network(one)
    for one in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
        *("192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
        *("224.0.0.0/4", "240.0.0.0/4", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23"),
        *("2001:db8::/32", "2002::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"),
    )
)
_MAPPED: Final = IPv6Network("::ffff:0:0/96")

Network = Sequence[str]


class AddressRefused(httpx2.TransportError):
    """The name leads where we do not go."""


class AnswerTooLarge(httpx2.TransportError):
    """More than any honest answer has."""


def is_outside(address: str, allowed: Network) -> bool:
    """Whether we may connect to *address*: a public one, or one of the operator's *allowed* networks."""
    found = ip_address(address)
    if isinstance(found, IPv6Address) and found in _MAPPED:
        found = IPv4Address(int(found) & 0xFFFFFFFF)
    if any(found.version == network.version and found in network for network in map(ip_network, allowed)):
        return True
    return not any(found.version == network.version and found in network for network in _INWARD)


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Resolves a name once, checks every address, and connects to the one that was checked; follows nothing.

    *allowed*: networks that the operator opens, in which plain http is taken as well.
    """

    def __init__(self, allowed: Network = ()) -> None:
        self._allowed = allowed
        self._inner = httpx2.AsyncHTTPTransport(trust_env=False, retries=0)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        host = request.url.host
        address = await self._checked(host, request.url.port or 443, https=request.url.scheme == "https")
        request.headers["host"] = request.url.netloc.decode()
        request.extensions = {**request.extensions, "sni_hostname": host}
        request.url = request.url.copy_with(host=address)
        response = await self._inner.handle_async_request(request)
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _Counted(response.stream)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _checked(self, host: str, port: int, *, https: bool) -> str:
        """One of the name's addresses, all of which are good. Raises AddressRefused."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError:
            raise AddressRefused(f"{host} has no address.") from None
        addresses = [str(one[4][0]).partition("%")[0] for one in found]
        if not addresses or not all(is_outside(one, self._allowed) for one in addresses):
            raise AddressRefused(f"{host} leads inwards.")
        if not https and any(is_outside(one, ()) for one in addresses):
            raise AddressRefused(f"{host} must be reached by https.")
        return addresses[0]


class _Counted(httpx2.AsyncByteStream):
    """Ends an answer that is too long."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        taken = 0
        async for chunk in self._stream:
            taken += len(chunk)
            if taken > LARGEST_ANSWER:
                raise AnswerTooLarge("The answer is too large.")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
