"""Decides which fault, if any, a request meets."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import assert_never

from ingestor.devkit.fake_tuner.faults import Dice, Fault, Rule, Script, Window


@dataclass(frozen=True, slots=True)
class Sender:
    """Say what rules can aim at; what a request does not carry is None."""

    call_id: str | None = None
    agent: str | None = None
    key: str | None = None
    workspace_id: int | None = None


@dataclass(slots=True)
class _Active:
    rule: Script | Dice | Window
    since: float
    met: Counter[str] = field(default_factory=Counter)


class FaultPlan:
    """Hold the rules in force; the first one with something to say about a request is done."""

    def __init__(self) -> None:
        self._active: list[_Active] = []

    @property
    def rules(self) -> tuple[Rule, ...]:
        return tuple(active.rule for active in self._active)

    def add(self, rules: Iterable[Script | Dice | Window], now: float) -> None:
        """Put *rules* in force behind those that are; windows count from *now* (seconds)."""
        self._active += [_Active(rule, now) for rule in rules]

    def clear(self) -> None:
        """Forget every rule."""
        self._active.clear()

    def next(self, sender: Sender, now: float) -> Fault | None:
        """Return what this request of *sender* meets at *now*, using up scripts and dice."""
        for active in self._active:
            if _aims_at(active.rule, sender) and (fault := _meet(active, sender, now)):
                return fault
        return None


def _aims_at(rule: Script | Dice | Window, sender: Sender) -> bool:
    return (
        fnmatchcase(sender.call_id or "", rule.call_id)
        and fnmatchcase(sender.agent or "", rule.agent)
        and fnmatchcase(sender.key or "", rule.key)
        and rule.workspace_id in (None, sender.workspace_id)
    )


def _meet(active: _Active, sender: Sender, now: float) -> Fault | None:
    rule, call_id = active.rule, sender.call_id or ""
    match rule:
        case Script():
            whose = call_id if rule.each_call else ""
            step = active.met[whose]
            active.met[whose] += 1
            return rule.answers[step] if step < len(rule.answers) else None
        case Dice():
            nth = active.met[call_id]
            active.met[call_id] += 1
            return rule.fault if _roll(rule.seed, call_id, nth) < rule.share else None
        case Window():
            begins = active.since + rule.after
            return rule.fault if begins <= now < begins + rule.seconds else None
        case unknown:
            assert_never(unknown)


def _roll(seed: int, call_id: str, nth: int) -> float:
    told = f"{seed}\0{nth}\0{call_id}".encode(errors="surrogatepass")
    return int.from_bytes(hashlib.sha256(told).digest()[:8]) / 2**64
