"""What lasts too long is ended, and nothing else."""

import asyncio

from edge.hostile import until

from ingestor.edge.wire.expiry import Expiry


async def test_who_stays_too_long_is_ended_in_turn() -> None:
    """The first to come is the first to go, and nobody goes early."""
    loop = asyncio.get_running_loop()
    ended: list[str] = []
    expiry: Expiry[str] = Expiry(0.05, ended.append)
    began = loop.time()

    expiry.add("a")
    expiry.add("b")
    await until(lambda: ended)
    assert loop.time() - began >= 0.048
    expiry.add("c")
    await until(lambda: "c" in ended)

    assert ended == ["a", "b", "c"]
    assert loop.time() - began >= 0.096


async def test_each_has_its_own_time() -> None:
    """The timer of the first is not that of the second."""
    loop = asyncio.get_running_loop()
    ended: dict[str, float] = {}
    began = loop.time()

    def end(who: str) -> None:
        ended[who] = loop.time() - began

    expiry: Expiry[str] = Expiry(0.1, end)

    expiry.add("early")
    loop.call_later(0.06, expiry.add, "late")
    await until(lambda: len(ended) == 2)

    assert 0.098 <= ended["early"] < ended["late"]
    assert ended["late"] >= 0.158


async def test_who_left_is_left_alone() -> None:
    """Taken out by name or as the last that came; and closed, it ends nobody."""
    ended: list[str] = []
    expiry: Expiry[str] = Expiry(0.03, ended.append)
    for name in ("a", "b", "c", "d"):
        expiry.add(name)

    expiry.discard("b")
    expiry.discard("nobody")
    assert expiry.pop() == "d"
    await until(lambda: len(ended) == 2)
    assert ended == ["a", "c"]
    assert expiry.pop() is None

    expiry.add("e")
    expiry.close()
    expiry.close()
    await asyncio.sleep(0.06)  # nothing tells that nothing happens
    assert ended == ["a", "c"]
