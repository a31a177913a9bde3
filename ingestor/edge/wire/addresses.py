"""Finds a way to a host that may have several addresses."""

import asyncio
import ipaddress
import socket
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from aiohappyeyeballs import AddrInfoType, start_connection

LookUp: TypeAlias = Callable[[str, int], Awaitable[Sequence[AddrInfoType]]]

# How long an answer of the name service is good: those who fail over by name do it within minutes.
FRESH_SECONDS = 10.0
# So that a crowd that waits for one failing look-up does not repeat it one after the other.
FAILED_SECONDS = 1.0
# Then the next address is tried beside the first (RFC 8305, 5).
HEAD_START_SECONDS = 0.25


async def ask_system(host: str, port: int) -> Sequence[AddrInfoType]:
    """Ask the name service of the system, off the loop."""
    return await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)


class Addresses:
    """The addresses of *host*, in turn, so that all have their share; those that failed come last.

    What it raises is a `socket.gaierror` or UnicodeError without addresses, another OSError when
    nobody is there.
    """

    def __init__(
        self,
        host: str,
        port: int,
        look_up: LookUp = ask_system,
        *,
        fresh: float = FRESH_SECONDS,
        failed: float = FAILED_SECONDS,
    ) -> None:
        self._host = host
        self._port = port
        self._ask = look_up
        self._fresh_seconds = fresh
        self._failed_seconds = failed
        self._loop = asyncio.get_running_loop()
        self._known: deque[AddrInfoType] = deque()
        self._failed: set[AddrInfoType] = set()
        self._error: OSError | UnicodeError | None = None
        self._good_until = self._loop.time()
        self._looking = asyncio.Lock()

    @property
    def failed(self) -> set[str]:
        """Those that are asked last, as far as they are known to fail."""
        return {address[4][0] for address in self._failed}

    async def connect(self) -> socket.socket:
        """Connect with the first that takes us."""
        await self._look_up()
        self._known.rotate(-1)
        tried = sorted(self._known, key=lambda address: address in self._failed)
        connection = await start_connection(
            tried, happy_eyeballs_delay=HEAD_START_SECONDS, interleave=0
        )
        self._learn(tried, connection.getpeername())
        return connection

    def _learn(self, tried: list[AddrInfoType], reached: object) -> None:
        """Remember those who were asked before the one that was *reached*."""
        for address in tried:
            if address[4] == reached:
                self._failed.discard(address)
                return
            self._failed.add(address)

    async def _look_up(self) -> None:
        """Have addresses; those who come meanwhile wait for what the first one hears."""
        async with self._looking:
            if self._loop.time() >= self._good_until:
                await self._renew()
        if self._error is not None:
            raise self._error.with_traceback(None)

    async def _renew(self) -> None:
        try:
            if _is_misspelt(self._host):
                raise socket.gaierror(socket.EAI_NONAME, "not an address, and no name either")
            found = await self._ask(self._host, self._port)
        except (OSError, UnicodeError) as error:
            self._error = error
            self._good_until = self._loop.time() + self._failed_seconds
            return
        self._error = None
        self._failed.intersection_update(found)
        if set(found) != set(self._known):
            self._known = deque(found)
        self._good_until = self._loop.time() + self._fresh_seconds


def _is_misspelt(host: str) -> bool:
    """Whether *host* is a number but no address: getaddrinfo would make one of 1.2.3."""
    if not host.rstrip(".").rpartition(".")[2].isdigit():
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return True
    return False
