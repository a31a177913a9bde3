"""Prints results as tables: for a terminal, and as rows of Markdown."""

from collections.abc import Iterable, Sequence

from bench.figures import Figure, Reached, Run

_SHOWN = ("rate", "cpu_us", "memory_mib")


def text(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Align *rows* under *head*; all cells but the first of a row to the right."""
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write *rows* under *head* as a table of Markdown."""
    lines = [list(head), ["---"] * len(head), *(list(row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines).replace("| --- ", "|---")


def number(value: float | None) -> str:
    """Write three significant digits, and a dash for what was not measured."""
    if value is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"


def reached(found: Iterable[Reached]) -> tuple[list[str], list[list[str]]]:
    """Lay out what was reached of each goal."""
    head = ["goal", "target", "best", "median", ""]
    return head, [
        [one.title, one.target, number(one.best), number(one.median), one.verdict] for one in found
    ]


def work(
    name: str, peers: Sequence[str], runs: Sequence[Run], *, ours: str
) -> tuple[list[str], list[list[str]]]:
    """Lay out what each peer did at one work, best of its runs, and how *ours* stands to it."""
    head = ["", "events/s", "median", "ours to it", "CPU us", "ours to it", "MiB", "notes"]
    mine = {figure: Figure(name, ours, figure).best(runs) for figure in _SHOWN}
    rows = []
    for peer in peers:
        best = {figure: Figure(name, peer, figure).best(runs) for figure in _SHOWN}
        if best["rate"] is None:
            continue
        rows.append(
            [
                peer,
                number(best["rate"]),
                number(Figure(name, peer, "rate").median(runs)),
                number(_ratio(mine["rate"], best["rate"])),
                number(best["cpu_us"]),
                number(_ratio(mine["cpu_us"], best["cpu_us"])),
                number(best["memory_mib"]),
                notes([run for run in runs if (run.work, run.peer) == (name, peer)]),
            ]
        )
    return head, rows


def notes(runs: Sequence[Run]) -> str:
    """Say what else there is to say of the runs of one peer."""
    found = []
    for figure, title in (("p50_ms", "p50"), ("p99_ms", "p99")):
        values = [getattr(run, figure) for run in runs if getattr(run, figure) is not None]
        if values:
            found.append(f"{title} {number(min(values))} ms")
    for count, title in (("missing", "missing"), ("duplicates", "twice")):
        worst = max((getattr(run, count) for run in runs), default=0)
        if worst:
            found.append(f"{worst} {title}")
    connections = max((run.connections for run in runs), default=0)
    if connections:
        found.append(f"{connections:,} connections")
    return ", ".join(found)


def _ratio(top: float | None, bottom: float | None) -> float | None:
    return None if top is None or not bottom else top / bottom
