"""What lasts too long is ended, and nothing else."""

import asyncio
from math import inf

from edge.hostile import until

from ingestor.edge.wire.expiry import Expiry


class Guest:
    """Stays for *seconds*, or for ever, and notes how long it did."""

    def __init__(self, seconds: float = inf) -> None:
        self._loop = asyncio.get_running_loop()
        self._came = self._loop.time()
        self.due = self._came + seconds
        self.stayed: float | None = None

    def stay(self, seconds: float) -> None:
        """Stay so long from now on."""
        self.due = self._loop.time() + seconds

    def expire(self) -> None:
        """Note that it is over."""
        assert self.stayed is None
        self.due = inf
        self.stayed = self._loop.time() - self._came


async def test_each_has_its_own_time() -> None:
    """Nobody goes early, and nobody much later than due."""
    guests = [Guest(seconds) for seconds in (0.15, 0.05, 0.1)]
    expiry = Expiry(guests, 0.05)

    expiry.start()
    await until(lambda: all(guest.stayed for guest in guests))

    for guest, seconds in zip(guests, (0.15, 0.05, 0.1), strict=True):
        assert guest.stayed is not None
        assert seconds - 0.002 <= guest.stayed < seconds + 0.04


async def test_a_time_may_be_given_at_any_time() -> None:
    """The shortest ones too, and nobody is told: a look comes in time all the same."""
    guest = Guest()
    expiry = Expiry([guest, Guest()], 0.05)
    expiry.start()
    for _ in range(4):
        guest.stay(0.05)
        await asyncio.sleep(0.03)
        assert guest.stayed is None

    guest.stay(0.05)
    began = asyncio.get_running_loop().time()
    await until(lambda: guest.stayed)

    assert 0.048 <= asyncio.get_running_loop().time() - began < 0.09


async def test_a_far_time_may_become_a_near_one() -> None:
    """Also when nobody was due for long, and all were looked at meanwhile."""
    guest = Guest(10.0)
    expiry = Expiry([guest], 0.05)
    expiry.start()
    await asyncio.sleep(0.08)  # the first look finds nobody due, and nothing tells of it

    guest.stay(0.05)
    await until(lambda: guest.stayed)

    assert guest.stayed is not None
    assert guest.stayed < 0.3


async def test_a_nearer_time_is_announced() -> None:
    """The look that was to come later still comes; one that would be later than it is none."""
    near, far = Guest(0.05), Guest(0.3)
    expiry = Expiry([far, near], 0.2)
    expiry.start()

    expiry.announce(near.due)
    expiry.announce(far.due)
    await until(lambda: near.stayed)
    assert near.stayed is not None
    assert near.stayed < 0.15

    await until(lambda: far.stayed)
    assert far.stayed is not None
    assert far.stayed < 0.35


async def test_without_members_nothing_is_looked_at() -> None:
    """Until there are some again."""
    members: list[Guest] = []
    expiry = Expiry(members, 0.03)
    expiry.start()
    await asyncio.sleep(0.06)  # nothing tells that nothing happens
    members.append(Guest(0.03))
    guest = members[0]
    expiry.start()

    await until(lambda: guest.stayed)

    assert guest.stayed is not None


async def test_closed_it_ends_nobody() -> None:
    """Also when it is closed twice, or never was started."""
    guest = Guest(0.03)
    expiry = Expiry([guest], 0.03)
    expiry.close()
    expiry.start()

    expiry.close()
    expiry.close()
    await asyncio.sleep(0.06)  # nothing tells that nothing happens

    assert guest.stayed is None
