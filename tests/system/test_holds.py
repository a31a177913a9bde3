"""Our own faults: what they hold, that nothing dies of them, and that it goes on by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pytest
from kafka.cluster import Cluster
from system.deployment import calls, deployment, messages
from system.destinations import AGENT, WORKSPACE, case_events, tuners, write_routes
from system.processes import ServiceProcess
from system.sequences import overlaps

from ingestor.core.limiter import START
from ingestor.devkit.fake_tuner import DEMO_KEY, Entry, Fault, Redirect, Reply, Window

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

FOR_EVER = 1e6
EVENTS = 5
# A probe comes after a second, the next two seconds after it.
PAUSES = (0.9, 1.9)


@dataclass(frozen=True, slots=True)
class Case:
    """A fault of ours: what is answered, what is held for it, and the cause that is told."""

    name: str
    fault: Fault
    holds: str
    cause: str

    def key(self, url: str) -> str:
        """Name what is held, as logs, metrics and readiness do."""
        destination = f"{self.name}@{url}"
        name = {
            "credential": self.name,
            "workspace": f"{self.name}, workspace {WORKSPACE}",
            "destination": destination,
            "route": f"{destination}, workspace {WORKSPACE}, agent {AGENT}",
        }[self.holds]
        return f"{self.holds} {name}"


def page(status: int) -> Case:
    """A status with a page of HTML: whoever answers is not Tuner."""
    return Case(f"html-{status}", Reply(status, body="html"), "destination", "not_tuner")


def plain(status: int) -> Case:
    """A status that says that the destination is not what we take it for."""
    return Case(f"json-{status}", Reply(status), "destination", f"status_{status}")


CASES = (
    *map(page, (200, 201, 404, 405, 409)),
    *map(plain, (402, 405, 407, 415, 421, 426, 501, 505)),
    Case("no-such-agent", Reply(404), "route", "unknown_route"),
    Case("wrong-key", Reply(401), "credential", "unauthorized"),
    Case("wrong-workspace", Reply(403), "workspace", "forbidden"),
)


async def test_a_fault_of_ours_holds_what_it_concerns_and_kills_nothing(
    cluster: Cluster, tmp_path: Path
) -> None:
    """Each is told in readiness, metrics and log, is probed with longer and longer pauses, stops
    nobody else, and when it is mended every call goes through.
    """
    async with tuners({"fine": [], "elsewhere": []}) as good:
        moved = f"{good['elsewhere'].url}/api/v1/public/call"
        cases = (
            *CASES,
            *(
                Case(
                    f"moved-{status}",
                    Redirect(moved, status=status),
                    "destination",
                    f"status_{status}",
                )
                for status in (301, 302, 303, 307, 308)
            ),
        )
        faults = {case.name: [Window(fault=case.fault, seconds=FOR_EVER)] for case in cases}
        async with tuners(faults) as bad, deployment(cluster) as here:
            served = {**bad, "fine": good["fine"]}
            async with here.service(write_routes(tmp_path / "routes.toml", served)) as running:
                await here.publish(chain(*(case_events(name, EVENTS) for name in served)))
                keys = {case.key(bad[case.name].url): case.cause for case in cases}
                await running.until(lambda: all(len(probes(t.requests)) > 1 for t in bad.values()))
                await everything_is_held(running, keys)
                assert len(good["fine"].calls) == EVENTS
                assert await running.metric("ingestor_records_total") == EVENTS
                assert all(tuner.calls == [] for tuner in bad.values())

                for tuner in bad.values():
                    tuner.clear_faults()
                await here.until_finished(running)
                await running.until_ready()
                assert await running.metric("ingestor_destination_state") == 0
        assert {e["what"] for e in running.entries_of("lifted")} == set(keys)
        assert {name: len(tuner.calls) for name, tuner in served.items()} == dict.fromkeys(
            served, EVENTS
        )
        assert await here.letters() == []
        assert good["elsewhere"].requests == []
        for tuner in bad.values():
            assert_probes(tuner.requests)


async def test_a_key_that_is_refused_for_a_while_kills_nothing(cluster: Cluster) -> None:
    """However many calls wait: a handful of probes, no letter, and then every call goes through."""
    bodies = calls(300)
    async with deployment(cluster) as here:
        here.tuner.add_faults(Window(fault=Reply(401), seconds=20.0))
        async with here.service() as running:
            await here.publish(messages(bodies))
            await running.until_said("held")
            await running.until_said("lifted", within=60)
            await here.until_finished(running)
    assert here.bodies() == bodies
    assert await here.letters() == []
    # All that were under way when the first answer came, and the probes.
    assert here.tuner.summary().statuses[401] < START + 10


async def test_a_new_key_in_its_file_ends_a_hold(cluster: Cluster, tmp_path: Path) -> None:
    """Without a restart; as long as there is none, calls wait, and nothing dies of it."""
    file = tmp_path / "key"
    file.write_text("tr_api_old\n")
    bodies = calls(40)
    async with deployment(cluster) as here:
        settings = {"TUNER_API_KEY": "", "TUNER_API_KEY_FILE": str(file)}
        async with here.service(settings) as running:
            await here.publish(messages(bodies))
            held = await running.until_said("held")
            assert (held["what"], held["cause"]) == ("credential default", "unauthorized")
            assert "key" in held["remedy"]
            file.unlink()
            unreadable = await running.until_said("key_unreadable")
            assert unreadable["credential"] == "default"
            await running.until(lambda: len(probes(here.tuner.requests)) > 2)
            assert (await running.readiness())[0] == 503
            assert here.tuner.calls == []

            file.write_text(f"{DEMO_KEY}\n")
            await running.until_said("key_replaced")
            await here.until_finished(running)
            await running.until_ready()
            assert_probes(here.tuner.requests)
    assert here.bodies() == bodies
    assert await here.letters() == []
    assert DEMO_KEY not in running.said
    assert "tr_api_old" not in running.said


def probes(requests: Sequence[Entry]) -> Sequence[Entry]:
    """Take those that came when the first answer was known."""
    known = (requests[0].answered or FOR_EVER) if requests else FOR_EVER
    return [entry for entry in requests if entry.arrived > known + PAUSES[0]]


async def everything_is_held(running: ServiceProcess, keys: dict[str, str]) -> None:
    """Check what the service says of its holds."""
    expected = {f"held: {key} ({cause})" for key, cause in keys.items()}
    status, because = await running.readiness()
    assert (status, {reason.split(" since ")[0] for reason in because}) == (503, expected)
    assert all(reason.endswith(".") for reason in because), "and what to do"
    for key in keys:
        assert (
            await running.metric("ingestor_destination_state", destination=key, state="held") == 1
        )
    # A log may come later than a page.
    await running.until(lambda: len(running.entries_of("held")) >= len(keys))
    told = {entry["what"]: entry["cause"] for entry in running.entries_of("held")}
    assert told == keys
    assert (await running.page("livez"))[0] == 200


def assert_probes(requests: Sequence[Entry]) -> None:
    """Check that the probes of a hold came one at a time, after pauses, each with another call."""
    first, second, *_ = probed = probes(requests)
    assert second.arrived - (first.answered or 0) > PAUSES[1]
    assert first.call_id != second.call_id
    assert overlaps(probed[:3]) == 0
