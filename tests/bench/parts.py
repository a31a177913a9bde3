"""Measures what each part of the road costs for one event, so that a regression can be found.

    PYTHONPATH=tests .venv/bin/python -m bench.parts --json parts.json
    PYTHONPATH=tests .venv/bin/python -m bench.parts --against parts.json

Every part is repeated many times in short turns, all parts in turns with each other, and its best
counts: what disturbs a machine only ever adds. What is compared with is to be from the same one.
"""

import argparse
import gc
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
from bench import machine, tables, wires
from bench.machine import Machine
from edge.certificates import Authority

from ingestor.core.answer import Answered
from ingestor.core.call import Call
from ingestor.core.decoder import Decoder, Reading
from ingestor.core.judgement import judge
from ingestor.core.offsets import Claim, Offsets
from ingestor.core.record import Partition, Record
from ingestor.core.route import Destination
from ingestor.core.routing import Router
from ingestor.core.verdict import Circumstances
from ingestor.devkit.sample_calls import body
from ingestor.edge.requests import Kind

Turn = Callable[[], float]
"""Does a part a number of times; gives the seconds of CPU for one time."""

_TURN_SECONDS = 0.01
_POSTS, _SLOTS = 2_000, 64
SIZES = {"1 KB": 1_000, "4 KB": 4_000, "30 KB": 30_000, "300 KB": 300_000}
PARTITION = Partition("call-ended", 0)
_OPEN = 1_000  # claims that wait at a time


class Part(msgspec.Struct, frozen=True):
    """What a part costs: the best of its turns and the median, in nanoseconds of CPU each time."""

    name: str
    best_ns: float
    median_ns: float


class Parts(msgspec.Struct, frozen=True):
    """What the parts cost on that machine."""

    machine: Machine
    turns: int
    parts: list[Part]


def pure_parts() -> Mapping[str, Callable[[], object]]:
    """Give the parts that decide; each call does one once, but `claim` a thousand times."""
    decoder, reading = Decoder(Reading()), _records()
    router = Router(
        Destination("https://tuner.example", "default"), workspace="7", agent="front-desk"
    )
    record = reading["4 KB"]
    call = decoder.decode(record)
    assert isinstance(call, Call)
    when = Circumstances(1_780_000_000.0)
    answer = b'{"id":1,"provider_call_id":"call-00000001","is_new":true}'
    accepted, failed = Answered(201, answer), Answered(503, b"")
    return {
        **{f"decode {size}": _decoding(decoder, given) for size, given in reading.items()},
        "route": lambda: router.route(record, call),
        "judge 201": lambda: judge(accepted, when),
        "judge 503": lambda: judge(failed, when),
    }


def _records() -> dict[str, Record]:
    return {
        name: Record(PARTITION, 0, 0, None, body("call-00000001", size=size))
        for name, size in SIZES.items()
    }


def _decoding(decoder: Decoder, record: Record) -> Callable[[], object]:
    return lambda: decoder.decode(record)


def claiming(order: Callable[[list[Claim]], list[Claim]]) -> Callable[[], object]:
    """Claim a thousand records of a partition, and settle them in that *order*."""
    records = [Record(PARTITION, offset, 1, None, b"") for offset in range(_OPEN)]

    def claim_and_settle() -> None:
        offsets = Offsets()
        offsets.assign(PARTITION, 0, None)
        claims = [claim for record in records if (claim := offsets.claim(record, 0.0))]
        for claim in order(claims):
            claim.settle()

    return claim_and_settle


def in_time(work: Callable[[], object], *, each: int = 1) -> Turn:
    """Repeat *work*, which does a part *each* times, for as long as a turn lasts."""
    times = 1
    while _seconds(work, times) < _TURN_SECONDS:
        times *= 2
    return lambda: _seconds(work, times) / times / each


def _seconds(work: Callable[[], object], times: int) -> float:
    began = time.thread_time()
    for _ in range(times):
        work()
    return time.thread_time() - began


@dataclass(frozen=True, slots=True)
class _Posting:
    kind: Kind
    target: wires.Target
    posted: bytes

    def __call__(self) -> float:
        return wires.cost(self.kind, self.target, posts=_POSTS, slots=_SLOTS, body=self.posted)


def turns_of(targets: Mapping[str, wires.Target]) -> dict[str, Turn]:
    """Give a turn of every part; the posts go to each of the *targets*, by name."""
    turns = {name: in_time(work) for name, work in pure_parts().items()}
    turns["claim and settle, in order"] = in_time(claiming(list), each=_OPEN)
    turns["claim and settle, last first"] = in_time(
        claiming(lambda claims: claims[::-1]), each=_OPEN
    )
    for size in ("4 KB", "30 KB"):
        posted = body("call-00000001", size=SIZES[size])
        for name, target in targets.items():
            for kind in Kind:
                turns[f"post {size} over {name}, {kind.value}"] = _Posting(kind, target, posted)
    return turns


def measure(turns: Mapping[str, Turn], rounds: int) -> Iterator[Part]:
    """Have the parts take turns, so often; collecting garbage is left to the time between."""
    taken: dict[str, list[float]] = {name: [] for name in turns}
    for _ in range(rounds):
        for name, turn in turns.items():
            gc.collect()
            gc.disable()
            try:
                taken[name].append(turn())
            finally:
                gc.enable()
    for name, seconds in taken.items():
        ordered = sorted(seconds)
        yield Part(name, 1e9 * ordered[0], 1e9 * ordered[len(ordered) // 2])


def layout(now: Parts, before: Parts | None) -> tuple[list[str], list[list[str]]]:
    """Lay out what each part costs, and how that stands to what it cost *before*."""
    then = {part.name: part.best_ns for part in before.parts} if before else {}
    head = ["", "best, us", "median, us", *(["to before"] if before else [])]
    rows = []
    for part in now.parts:
        row = [part.name, *(f"{ns / 1000:,.2f}" for ns in (part.best_ns, part.median_ns))]
        if before:
            row.append(tables.number(part.best_ns / then[part.name] if part.name in then else None))
        rows.append(row)
    return head, rows


def main() -> int:
    """Measure the parts, print a table and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=20, help="of each part")
    parser.add_argument("--json", type=Path, default=Path("parts.json"), help="where to write")
    parser.add_argument("--against", type=Path, help="what was written earlier, to compare with")
    given = parser.parse_args()
    before = msgspec.json.decode(given.against.read_bytes(), type=Parts) if given.against else None
    here = machine.describe()
    with (
        tempfile.TemporaryDirectory() as folder,
        wires.running_sink() as http,
        wires.running_sink(Authority(Path(folder))) as tls,
    ):
        turns = turns_of({"HTTP": http, "TLS": tls})
        now = Parts(here, given.turns, list(measure(turns, given.turns)))
    given.json.write_bytes(msgspec.json.format(msgspec.json.encode(now)))
    print(tables.text(*layout(now, before)))  # noqa: T201 - what it is for
    return 0


if __name__ == "__main__":
    sys.exit(main())
