"""A host may have several addresses, of which some do not work."""

import asyncio
import errno
import socket
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from aiohappyeyeballs import AddrInfoType

from ingestor.edge.wire.addresses import Addresses

DEAD, FIRST, SECOND = "127.0.0.2", "127.0.0.3", "127.0.0.4"


class Names:
    """A name service that knows *hosts* and counts the questions; *error* is what it has to say."""

    def __init__(self, *hosts: str) -> None:
        self.hosts = list(hosts)
        self.error: OSError | None = None
        self.asked = 0

    async def look_up(self, host: str, port: int) -> Sequence[AddrInfoType]:
        """Answer after a moment, as services do."""
        assert host == "tuner.test"
        self.asked += 1
        await asyncio.sleep(0.01)
        if self.error is not None:
            raise self.error
        return [
            (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (each, port))
            for each in self.hosts
        ]


@asynccontextmanager
async def listening(*hosts: str) -> AsyncIterator[int]:
    """Listen at the same port of *hosts*; give the port."""
    first, *others = hosts
    with socket.create_server((first, 0)) as listener:
        port: int = listener.getsockname()[1]
        listeners = [socket.create_server((host, port)) for host in others]
        try:
            yield port
        finally:
            for each in listeners:
                each.close()


async def reached(addresses: Addresses, times: int = 1) -> list[str]:
    """Connect so many *times*; list where to."""
    hosts = []
    for _ in range(times):
        connection = await addresses.connect()
        hosts.append(connection.getpeername()[0])
        connection.close()
    return hosts


async def test_all_addresses_have_their_share() -> None:
    """They are there to spread the load."""
    async with listening(FIRST, SECOND) as port:
        names = Names(FIRST, SECOND)

        hosts = await reached(Addresses("tuner.test", port, names.look_up), 6)

    assert Counter(hosts) == {FIRST: 3, SECOND: 3}
    assert names.asked == 1


async def test_an_address_that_fails_is_tried_last() -> None:
    """The next one takes its place at once, and from then on it is asked before."""
    async with listening(FIRST, SECOND) as port:
        names = Names(FIRST, DEAD, SECOND)
        addresses = Addresses("tuner.test", port, names.look_up)

        hosts = await reached(addresses, 12)
        assert set(hosts) == {FIRST, SECOND}
        assert addresses.failed == {DEAD}


async def test_an_address_that_is_well_again_is_used_again() -> None:
    """When no other works it is asked after all."""
    names = Names(FIRST, SECOND)
    async with listening(SECOND) as port:
        addresses = Addresses("tuner.test", port, names.look_up)
        await reached(addresses, 2)
        assert addresses.failed == {FIRST}
    with socket.create_server((FIRST, port)):
        assert await reached(addresses) == [FIRST]
    assert addresses.failed == {SECOND}


async def test_a_silent_address_costs_a_quarter_of_a_second() -> None:
    """The next one is tried beside it (RFC 8305)."""
    with socket.socket() as silent, socket.socket() as first, socket.socket() as second:
        silent.bind((DEAD, 0))
        silent.listen(0)
        port = silent.getsockname()[1]
        # A queue that is full takes nobody; it takes one more than it says.
        for filler in (first, second):
            filler.settimeout(0)
            filler.connect_ex((DEAD, port))
        with socket.create_server((FIRST, port)):
            addresses = Addresses("tuner.test", port, Names(FIRST, DEAD).look_up)

            async with asyncio.timeout(5):
                assert await reached(addresses, 4) == [FIRST] * 4
    assert addresses.failed == {DEAD}


async def test_nobody_there_is_an_error_of_the_system() -> None:
    """Of whichever address."""
    async with listening(FIRST) as port:
        pass
    addresses = Addresses("tuner.test", port, Names(FIRST, SECOND).look_up)

    assert await failure(addresses) == errno.ECONNREFUSED


async def test_a_crowd_asks_the_name_service_once() -> None:
    """Also when it has nothing to say."""
    async with listening(FIRST) as port:
        names = Names(FIRST)
        addresses = Addresses("tuner.test", port, names.look_up)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(20):
                tasks.create_task(reached(addresses))
        assert names.asked == 1

    names.error = socket.gaierror(socket.EAI_AGAIN, "later")
    fresh = Addresses("tuner.test", port, names.look_up)
    async with asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(failure(fresh)) for _ in range(20)]
    assert {each.result() for each in waiting} == {socket.EAI_AGAIN}
    assert names.asked == 2


async def failure(addresses: Addresses) -> int | None:
    """Fail to connect; say why."""
    try:
        await addresses.connect()
    except OSError as error:
        return error.errno
    return None


async def test_names_are_asked_for_again_after_a_while() -> None:
    """Who moves does it by name; a failure is forgotten sooner than a success."""
    async with listening(FIRST, SECOND) as port:
        names = Names(DEAD)
        names.error = socket.gaierror(socket.EAI_AGAIN, "later")
        addresses = Addresses("tuner.test", port, names.look_up, fresh=0.2, failed=0.05)
        assert await failure(addresses) == socket.EAI_AGAIN
        names.error, names.hosts = None, [FIRST, DEAD]
        await asyncio.sleep(0.06)
        assert await reached(addresses, 3) == [FIRST] * 3
        assert addresses.failed == {DEAD}
        names.hosts = [SECOND]
        await asyncio.sleep(0.21)

        assert await reached(addresses) == [SECOND]
        assert addresses.failed == set()
        await asyncio.sleep(0.21)

        assert await reached(addresses) == [SECOND]
        assert names.asked == 4


async def test_the_system_may_know_better_where_an_address_leads() -> None:
    """0.0.0.0 is this machine, whose own name for itself is another."""
    async with listening("127.0.0.1") as port:
        addresses = Addresses("tuner.test", port, Names("0.0.0.0").look_up)  # noqa: S104 - a way to say "here"

        assert await reached(addresses, 2) == ["127.0.0.1"] * 2


@pytest.mark.parametrize("host", ["1.2.3", "256.256.256.256", "7", "1.2.3.4.5", "a.0x7f.1"])
async def test_a_number_that_is_no_address_is_no_host(host: str) -> None:
    """The system would make an address of some."""
    with pytest.raises(socket.gaierror) as caught:
        await Addresses(host, 80).connect()

    assert caught.value.errno == socket.EAI_NONAME


async def test_the_name_service_of_the_system_is_asked() -> None:
    """Unless a test brings another."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        assert await reached(Addresses("localhost", port)) == ["127.0.0.1"]
