"""The parts of the demo: each says what went wrong instead of waiting for ever."""

import io
import os
import sys
from collections.abc import Iterator, Sequence

import pytest
from kafka.cluster import Cluster, Message, Topic
from rich.console import Console
from system.waiting import eventually

from ingestor.devkit.demo.play import carry, play
from ingestor.devkit.demo.service import (
    DemoFailedError,
    Service,
    Totals,
    read_totals,
    running_service,
)
from ingestor.devkit.demo.topics import LETTERS, TOPIC, Publisher, read_letters
from ingestor.devkit.embedded_broker import Api, EmbeddedBroker
from ingestor.devkit.sample_calls import sample_calls

METRICS = """
# HELP ingestor_records_total Finished records.
# TYPE ingestor_records_total counter
ingestor_records_total{outcome="delivered",reason=""} 5.0
ingestor_records_total{outcome="dead",reason="invalid"} 2.0
ingestor_records_total{outcome="dead",reason="refused"} 1.0
# TYPE ingestor_attempts_total counter
ingestor_attempts_total{status="201"} 5.0
ingestor_attempts_total{status="422"} 1.0
"""
# A service that says where its pages are, and serves them, of which readiness never comes.
PAGES = """
import http.server, json, signal, sys
class Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if self.path == "/readyz" else 200)
        self.end_headers()
        self.wfile.write(sys.argv[1].encode())
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Pages)
print("plain words", file=sys.stderr)
print("[1]", file=sys.stderr)
print(json.dumps({"event": "started", "ops_port": server.server_port}), file=sys.stderr, flush=True)
"""
SERVING = PAGES + "server.serve_forever()"
STUBBORN = PAGES + "signal.signal(signal.SIGTERM, signal.SIG_IGN); server.serve_forever()"
SILENT = PAGES + "server.server_close(); signal.pause()"
MUTE = "import signal; signal.pause()"


TOO_LARGE = 10  # Kafka's number for a record that will never be taken


def script(text: str) -> Sequence[str]:
    """Name the command that stands in for the service."""
    return (sys.executable, "-c", text, METRICS)


async def said(service: Service, count: int) -> None:
    """Wait until it has said so many lines."""
    await eventually(lambda: len(service.log) >= count)


# The service


def test_totals_are_read_from_the_metrics() -> None:
    """By outcome and reason, and added up over them."""
    totals = read_totals(METRICS)

    assert totals.records == {
        ("delivered", ""): 5,
        ("dead", "invalid"): 2,
        ("dead", "refused"): 1,
    }
    assert (totals.finished, totals.attempts) == (8, 6)
    assert (totals.count("dead"), totals.count("ignored")) == (3, 0)
    assert Totals().finished == 0


async def test_its_pages_are_found_in_its_log() -> None:
    """What is no entry of a log is kept as it is."""
    async with running_service(os.environ, script(SERVING)) as service:
        await said(service, 3)
        totals = await service.totals()

    assert [entry["event"] for entry in service.log] == ["plain words", "[1]", "started"]
    assert totals.finished == 8


async def test_a_service_that_ends_by_itself_is_told_with_its_last_words() -> None:
    """Bad settings, for one: nobody waits for what cannot come."""
    async with running_service({"PATH": os.environ["PATH"]}) as service:
        with pytest.raises(DemoFailedError, match="its last words: problem  TUNER_AGENT_ID: is"):
            await service.ready()
        with pytest.raises(DemoFailedError, match="ended by itself"):
            await service.stop()


async def test_a_service_that_never_gets_ready_is_not_waited_for() -> None:
    """Whether it says nothing or says that it is not."""
    for text in (SERVING, MUTE):
        async with running_service(os.environ, script(text)) as service:
            with pytest.raises(DemoFailedError, match=r"was not ready within 0\.5 s"):
                await service.ready(0.5)


async def test_a_service_that_does_not_answer_is_told() -> None:
    """It has a port and nobody behind it."""
    async with running_service(os.environ, script(SILENT)) as service:
        await said(service, 3)
        with pytest.raises(DemoFailedError, match="does not answer: ClientConnectorError"):
            await service.totals()


async def test_a_service_that_does_not_stop_is_killed() -> None:
    """And that it did not is told."""
    async with running_service(os.environ, script(STUBBORN)) as service:
        await said(service, 3)
        with pytest.raises(DemoFailedError, match=r"did not end within 0\.2 s"):
            await service.stop(0.2)


async def test_a_service_that_stops_badly_is_told() -> None:
    """A drain that went well ends with 0 and with nothing else."""
    async with running_service(os.environ, script(SERVING)) as service:
        await said(service, 3)
        with pytest.raises(DemoFailedError, match="ended with exit code -15"):
            await service.stop()


# The topics


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    """Give a broker with the demo's topics."""
    with EmbeddedBroker() as running:
        for name in (TOPIC, LETTERS):
            running.create_topic(name, partitions=2)
        yield running


def letter(partition: int, offset: int, reason: str) -> Message:
    """Make what is read of a dead letter."""
    origin = (("ingestor-partition", b"%d" % partition), ("ingestor-offset", b"%d" % offset))
    return Message(value=b"x", headers=(*origin, ("ingestor-reason", reason.encode())))


def test_letters_are_known_by_where_their_event_stood(broker: EmbeddedBroker) -> None:
    """One that was written twice is one."""
    topic = Topic(Cluster(broker.bootstrap_servers), LETTERS)
    topic.produce([letter(1, 7, "invalid"), letter(0, 7, "refused"), letter(1, 7, "invalid")])

    assert read_letters(broker.bootstrap_servers) == {(1, 7): "invalid", (0, 7): "refused"}


def test_without_letters_there_are_none(broker: EmbeddedBroker) -> None:
    """An empty topic is read at once."""
    assert read_letters(broker.bootstrap_servers) == {}


def test_letters_of_a_slow_broker_are_waited_for(broker: EmbeddedBroker) -> None:
    """Nothing for a moment is not the end."""
    topic = Topic(Cluster(broker.bootstrap_servers), LETTERS)
    topic.produce([letter(1, 7, "invalid")])
    broker.set_round_trip(300)

    assert read_letters(broker.bootstrap_servers) == {(1, 7): "invalid"}


def test_letters_that_cannot_be_read_in_time_are_told(broker: EmbeddedBroker) -> None:
    """Rather than left out: what is missing would be taken for a loss."""
    topic = Topic(Cluster(broker.bootstrap_servers), LETTERS)
    topic.produce([letter(1, 7, "invalid")])

    with pytest.raises(DemoFailedError, match="1 dead letters could not be read"):
        read_letters(broker.bootstrap_servers, within=0.0)


def test_events_are_published_with_all_that_they_are(broker: EmbeddedBroker) -> None:
    """And where each one stands is known once all are acknowledged."""
    events = list(sample_calls(100, seed=4))
    publisher = Publisher(broker.bootstrap_servers)
    for event in events:
        publisher.publish(event)

    published = publisher.finish(len(events))

    stored = Topic(Cluster(broker.bootstrap_servers), TOPIC).read_all()
    assert {
        (item.origin, item.event.key, item.event.value, item.event.headers) for item in published
    } == {((s.partition, s.offset), s.key, s.value, s.headers) for s in stored}


def test_events_that_the_broker_did_not_take_are_told(broker: EmbeddedBroker) -> None:
    """One of two is refused: a table that leaves it out would be wrong."""
    publisher = Publisher(broker.bootstrap_servers)
    first, second, *_ = sample_calls(10, seed=4)
    publisher.publish(first)
    assert len(publisher.finish(1)) == 1
    broker.fail_next(Api.PRODUCE, [TOO_LARGE])
    publisher.publish(second)

    with pytest.raises(DemoFailedError, match="the broker took 1 of 2 events"):
        publisher.finish(2)


# All of it


async def test_events_that_are_never_finished_end_the_demo(broker: EmbeddedBroker) -> None:
    """The metrics stand still: eight are finished, and will be for ever."""
    console = Console(file=io.StringIO())
    events = list(sample_calls(11, seed=4))
    async with running_service(os.environ, script(SERVING)) as service:
        await said(service, 3)
        with pytest.raises(DemoFailedError, match="only 8 of 11 events were finished in time"):
            await carry(console, service, Publisher(broker.bootstrap_servers), events, within=0.2)


@pytest.mark.timeout(60)
async def test_the_demo_adds_up() -> None:
    """The real service between the two, and both sides' records; our settings are not its own."""
    console = Console(file=io.StringIO(), width=120, force_terminal=False)
    environ = dict(os.environ) | {"KAFKA_BOOTSTRAP_SERVERS": "elsewhere:1", "TUNER_API_KEY": ""}

    story = await play(console, environ, count=100, seed=9)

    assert story.contradictions == []
    assert sum(row.count for row in story.rows) == 100
