"""What a part costs is the best of many turns, and a regression shows."""

import asyncio
from pathlib import Path

import pytest
from bench import parts, wires
from bench.machine import Machine
from bench.parts import Part, Parts, claiming, in_time, layout, measure, pure_parts
from edge.certificates import Authority

from ingestor.core.call import Call
from ingestor.core.offsets import Claim
from ingestor.core.route import Route
from ingestor.core.verdict import Accepted, TryAgain
from ingestor.edge.requests import Kind

HERE = Machine("cpu", 2, 4.0, "Linux", "3.11", "abc", 0.0)


def test_the_best_turn_counts() -> None:
    """The others were disturbed; the parts take turns with each other."""
    costs = {"a": iter([3e-6, 1e-6, 2e-6]), "b": iter([5e-6, 5e-6, 4e-6])}
    turns = {name: lambda left=left: next(left) for name, left in costs.items()}

    assert [
        (part.name, round(part.best_ns), round(part.median_ns)) for part in measure(turns, 3)
    ] == [("a", 1000, 2000), ("b", 4000, 5000)]


def test_a_turn_lasts_long_enough_to_be_measured() -> None:
    """A part that takes no time is repeated more often than one that does."""
    quick, slow = in_time(lambda: None), in_time(lambda: sum(range(20_000)))

    assert 0 < quick() < slow() / 10


def test_the_parts_do_what_they_are_measured_for() -> None:
    """A decoder that refuses is quick, and says nothing."""
    works = pure_parts()

    assert all(isinstance(works[f"decode {size}"](), Call) for size in parts.SIZES)
    assert isinstance(works["route"](), Route)
    assert isinstance(works["judge 201"](), Accepted)
    assert isinstance(works["judge 503"](), TryAgain)


def test_claims_are_settled_in_the_order_that_was_asked_for() -> None:
    """All thousand of them, and none twice."""
    seen: list[int] = []

    def backwards(claims: list[Claim]) -> list[Claim]:
        seen.extend(claim.offset for claim in claims)
        return claims[::-1]

    claiming(backwards)()

    assert seen == list(range(1_000))


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("tls", [False, True])
async def test_a_post_costs_something_on_each_wire(kind: Kind, tls: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a parameter
    """Against the sink that the bench runs."""
    authority = Authority(tmp_path) if tls else None
    with wires.running_sink(authority) as target:
        seconds = await asyncio.to_thread(
            wires.cost, kind, target, posts=20, slots=4, body=b'{"call_id": "a"}'
        )

    assert 0 < seconds < 0.1


def test_what_it_cost_before_is_shown_beside_it() -> None:
    """A part that is new has nothing to be compared with."""
    now = Parts(HERE, 1, [Part("a", 3000.0, 4000.0), Part("b", 10.0, 10.0)])
    before = Parts(HERE, 1, [Part("a", 2000.0, 2000.0)])

    assert layout(now, before)[1] == [["a", "3.00", "4.00", "1.5"], ["b", "0.01", "0.01", "-"]]
    assert layout(now, None)[1][0] == ["a", "3.00", "4.00"]
