"""Compare limiters in virtual time: `PYTHONPATH=tests python tests/bench/compare_limiters.py`."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bench.rivals import Aimd, AnyLimiter, Fixed, Gradient2, GradientSqrt, Vegas
from bench.simulation import Client, Phase, World

from ingestor.core.limiter import Limiter
from ingestor.core.sign import Sign

SEEDS = 3


@dataclass(frozen=True, slots=True)
class Scene:
    """A server, and how many clients with at most how many requests work on it for how long."""

    phases: Sequence[Phase]
    most: int = 512
    clients: int = 1
    seconds: float = 30.0
    after: float = 5.0


SCENES: Mapping[str, Scene] = {
    "merely slow, 200 ms": Scene([Phase(workers=10**6, seconds=0.2, spread=0.0)]),
    "slow and uneven": Scene([Phase(workers=10**6, seconds=0.2, spread=0.7)]),
    "bodies 10:1": Scene([Phase(workers=10**6, seconds=0.05, large=0.1)]),
    "pauses of 1 s": Scene([Phase(workers=10**6, seconds=0.05, pause=1.0)]),
    "our own processor": Scene([Phase(workers=10**6, seconds=0.001, own=0.00025)], most=64),
    "2 % fail by chance": Scene([Phase(workers=10**6, seconds=0.05, strained=0.02)]),
    "20 % fail by chance": Scene([Phase(workers=10**6, seconds=0.05, strained=0.2)]),
    "40 workers, 20 % fail by chance": Scene([Phase(queue=20, strained=0.2)]),
    "40 workers, endless queue": Scene([Phase()]),
    "40 workers, bodies 10:1": Scene([Phase(large=0.1)]),
    "40 workers, 503 beyond 20": Scene([Phase(queue=20)]),
    "40 workers, 429 beyond 20": Scene([Phase(queue=20, beyond=Sign.REFUSED)]),
    "slower 50 -> 200 ms": Scene(
        [
            Phase(workers=10**6, spread=0.2),
            Phase(since=10.0, workers=10**6, spread=0.2, seconds=0.2),
        ],
        after=10.0,
    ),
    "40 -> 200 workers": Scene([Phase(), Phase(since=10.0, workers=200)], after=10.0),
    "200 -> 40 workers": Scene([Phase(workers=200), Phase(since=10.0)], after=10.0),
    "two clients": Scene([Phase(workers=80)], clients=2),
}
LIMITERS: Mapping[str, Callable[[int], AnyLimiter]] = {
    "fixed": Fixed,
    "AIMD": Aimd,
    "Vegas": Vegas,
    "gradient": GradientSqrt,
    "gradient2": Gradient2,
    "ours": Limiter,
}


@dataclass(frozen=True, slots=True)
class Result:
    """*rate* a second and 99th percentile of latency after the scene's `after`, the mean *limit*,
    push-backs a thousand calls, *ramp* (seconds to 90 % of that rate, from the start or from the
    change), and the clients' *fairness* (Jain).
    """

    rate: float
    p99: float
    limit: float
    pushed_back: float
    ramp: float
    fairness: float


def measure(scene: Scene, make: Callable[[int], AnyLimiter], seed: int) -> Result:
    """Let *scene* be played."""
    world = World(scene.phases, [make(scene.most) for _ in range(scene.clients)], seed)
    world.run(scene.seconds)
    clients = world.clients
    late = [[it for it in client.served if it[0] >= scene.after] for client in clients]
    durations = sorted(seconds for served in late for _, seconds in served)
    rates = [len(served) / (scene.seconds - scene.after) for served in late]
    total = sum(len(client.served) for client in clients)
    return Result(
        rate=sum(rates),
        p99=durations[int(len(durations) * 0.99)],
        limit=sum(mean_limit(client, scene) for client in clients),
        pushed_back=1000 * sum(client.pushed_back for client in clients) / total,
        ramp=ramp(clients, scene.phases[-1].since, sum(rates)),
        fairness=sum(rates) ** 2 / (len(rates) * sum(rate**2 for rate in rates)),
    )


def mean_limit(client: Client, scene: Scene) -> float:
    """Average the limit over time."""
    steps = [it for it in client.limits if it[0] >= scene.after]
    spans = [(after[0] - before[0], before[1]) for before, after in pairwise(steps)]
    return sum(span * limit for span, limit in spans) / sum(span for span, _ in spans)


def ramp(clients: Sequence[Client], since: float, rate: float) -> float:
    """Find when 90 % of *rate* is first reached, over a quarter of a second."""
    counts: dict[int, int] = {}
    for client in clients:
        for when, _ in client.served:
            if when >= since:
                quarter = int((when - since) * 4)
                counts[quarter] = counts.get(quarter, 0) + 1
    good = [quarter for quarter, count in counts.items() if count * 4 >= 0.9 * rate]
    return min(good, default=math.inf) / 4


def main() -> None:
    """Print a table of all scenes and limiters."""
    columns = (
        f"{'calls/s':>8} {'p99 ms':>7} {'limit':>6} {'push o/oo':>9} {'ramp s':>6} {'fair':>5}"
    )
    for title, scene in SCENES.items():
        print(f"\n{title}\n{'':10} {columns}")  # noqa: T201 - what it is for
        for name, make in LIMITERS.items():
            runs = [measure(scene, make, seed) for seed in range(SEEDS)]
            rate, p99, limit, pushed, start, fair = (
                sum(values) / SEEDS
                for values in zip(
                    *((r.rate, r.p99, r.limit, r.pushed_back, r.ramp, r.fairness) for r in runs),
                    strict=True,
                )
            )
            print(  # noqa: T201 - what it is for
                f"{name:10} {rate:8.0f} {p99 * 1000:7.0f} {limit:6.0f} {pushed:9.1f} {start:6.2f} "
                f"{fair:5.2f}"
            )


if __name__ == "__main__":
    main()
