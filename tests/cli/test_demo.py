"""`ingestor demo` as its users run it, and with something planted that does not add up."""

import asyncio
import re
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest
import typer
from cli.commands import invoke
from kafka.cluster import Cluster, Message
from system.processes import CommandProcess, command
from system.waiting import eventually

from ingestor.cli.demo import need
from ingestor.devkit.demo.show import AGREED
from ingestor.devkit.demo.topics import TOPIC

COUNT = 100


def numbers(output: Sequence[str]) -> list[int]:
    """Take the number of events from each row of the table."""
    found = (re.match(r"  \w[\w ]*?  +(\d+)  ", line) for line in output)
    return [int(row[1]) for row in found if row]


async def address(running: CommandProcess) -> str:
    """Wait until the demo has said where its broker is."""
    said = await eventually(lambda: [line for line in running.output if "embedded Kafka" in line])
    found = re.search(r"Kafka at (\S+),", said[0])
    assert found is not None
    return found[1]


async def test_the_demo_runs_as_a_process_and_adds_up() -> None:
    """With a table of which the rows are all events that there were, and 0 in the end."""
    async with command("demo", "--count", str(COUNT), "--seed", "3") as running:
        code = await running.ended()

    assert (code, running.log) == (0, [])
    assert AGREED in running.output
    assert sum(numbers(running.output)) == COUNT
    assert "ingestor run" in running.output[-2] + running.output[-1]


async def test_a_stranger_on_the_topic_is_noticed() -> None:
    """An event that the demo did not publish becomes a letter, as it should; the demo names it."""
    async with command("demo", "--count", str(COUNT)) as running:
        topic = Cluster(await address(running))
        stranger = Message(value=b"nonsense", partition=0)
        await asyncio.to_thread(topic.produce, TOPIC, [stranger])
        code = await running.ended()

    assert code == 1
    assert AGREED not in running.output
    noticed = r"(?m)^  event 0/\d+: nobody published it, but it is a dead letter$"
    assert re.search(noticed, running.said), running.said


def test_a_demo_that_cannot_play_says_why() -> None:
    """Here the service finds no Python to run with: a sentence and a 1, no traceback."""
    result = invoke("demo", "--count", "100", environ={"PYTHONHOME": "/nowhere"})

    assert result.exit_code == 1
    assert result.stderr.startswith("the demo failed: the service ended by itself")


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_a_demo_can_be_broken_off(number: signal.Signals, expected: int) -> None:
    """Ctrl-C ends it and the service that it started; so does what ends a container."""
    async with command("demo", "--count", "4000") as running:
        (service,) = await eventually(lambda: children(running.pid))
        running.signal(number)
        code = await running.ended()

    assert code == expected
    assert "Traceback" not in running.said
    assert not has_process(service)


def has_process(pid: str) -> bool:
    """Whether there is a process with that id."""
    return Path(f"/proc/{pid}").exists()


def children(pid: int) -> list[str]:
    """Name the processes that process *pid* has started."""
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def test_without_the_extra_it_says_what_to_install(capsys: pytest.CaptureFixture[str]) -> None:
    """The service does without confluent-kafka; the demo cannot."""
    need("sys")
    with pytest.raises(typer.Exit) as end:
        need("no_such_module")

    assert end.value.exit_code == 2
    assert capsys.readouterr().err == (
        "the demo needs no_such_module: pip install 'ingestor[demo]'\n"
    )
