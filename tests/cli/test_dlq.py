"""`ingestor dlq`: looks at the dead letters, and shows nothing of a call unless it is asked to."""

from collections.abc import Iterator

import pytest
from brokers import reserve_port
from builders import dead, record, route
from cli.commands import invoke, lines
from kafka.cluster import Cluster, Message, Topic

from ingestor.core.letter import Letter, letter
from ingestor.core.outcome import Reason
from ingestor.core.parts import cut
from ingestor.devkit.embedded_broker import EmbeddedBroker

PRIVATE = b"+15550100"
VALUE = b'{"caller_phone_number": "' + PRIVATE + b'"}\xff\n'


def made(offset: int, reason: Reason = Reason.REFUSED, call_id: str | None = None) -> Letter:
    """Write the letter of a record that is private in every place."""
    died = record(VALUE, offset=offset, key=PRIVATE, headers=(("own", PRIVATE), ("none", None)))
    return letter(died, dead(reason, call_id=call_id or f"c{offset}"), route(), version="1")


def message(letter: Letter) -> Message:
    """Describe the record that holds *letter*."""
    return Message(value=letter.value, key=letter.key, headers=letter.headers, partition=0)


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    """Give a broker with letters: three, one of them in parts and twice, and half of a fourth."""
    with EmbeddedBroker() as running:
        for name in ("letters", "empty"):
            running.create_topic(name, partitions=2)
        large = list(cut(made(1, Reason.INVALID), 3))
        written = [
            made(0),
            *large,
            *large[:2],
            made(2, Reason.MALFORMED),
            *list(cut(made(3), 2))[:1],
        ]
        Topic(Cluster(running.bootstrap_servers), "letters").produce(map(message, written))
        yield running


def run(broker: EmbeddedBroker, *arguments: str, topic: str = "letters") -> tuple[int, str, bytes]:
    """Run `ingestor dlq`; give the exit code, what it said of trouble, and what it printed."""
    environ = {
        "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "KAFKA_DEAD_LETTER_TOPIC": topic,
    }
    result = invoke("dlq", *arguments, environ=environ)
    return result.exit_code, result.stderr, result.stdout_bytes


def test_every_letter_is_listed_once(broker: EmbeddedBroker) -> None:
    """Whose it is, when it was published, why it died; and how many cannot be put together."""
    code, _, printed = run(broker, "list")

    assert code == 0
    *table, count = lines(printed.decode())
    listed = [[cell.strip() for cell in row.split("│")[1:-1]] for row in table if "│" in row]
    assert [row[:5] for row in listed] == [
        [f"call-ended/0/{n}", "2026-06-10 16:14:22+00:00", reason, "422", f"c{n}"]
        for n, reason in enumerate(("refused", "invalid", "malformed"))
    ]
    assert {row[5] for row in listed} == {"Tuner answered 422"}
    assert count == "3 letters, and 1 of which parts are missing"
    assert PRIVATE not in printed


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (("--reason", "invalid"), "1 letter"),
        (("--call-id", "c2"), "1 letter"),
        (("--call-id", "c2", "--reason", "invalid"), "0 letters"),
    ],
)
def test_a_list_can_be_narrowed(
    broker: EmbeddedBroker, arguments: tuple[str, ...], count: str
) -> None:
    """By why, and by whose."""
    code, _, printed = run(broker, "list", *arguments)

    assert (code, lines(printed.decode())[-1]) == (0, count)


def test_an_empty_topic_has_no_letters(broker: EmbeddedBroker) -> None:
    """That is good news."""
    assert run(broker, "list", topic="empty") == (0, "", b"0 letters\n")
    assert run(broker, "list", "--topic", "empty")[2] == b"0 letters\n"


def test_a_letter_is_shown_without_its_event(broker: EmbeddedBroker) -> None:
    """Our words in full; of the event's key, headers and value only how large they are."""
    code, _, printed = run(broker, "show", "call-ended/0/1")

    assert code == 0
    assert PRIVATE not in printed
    shown = lines(printed.decode())
    for expected in (
        "letter call-ended/0/1",
        "reason invalid",
        "message Tuner answered 422",
        "call-id c1",
        "workspace-id 7",
        "key 9 bytes",
        "header own: 9 bytes",
        "header none: none",
        f"value {len(VALUE)} bytes",
    ):
        assert expected in shown


def test_several_letters_are_shown_one_after_the_other(broker: EmbeddedBroker) -> None:
    """As many as there are of a reason."""
    _, _, printed = run(broker, "show", "--reason", "refused")

    assert [line for line in lines(printed.decode()) if line.startswith("letter ")] == [
        "letter call-ended/0/0"
    ]


def test_the_event_itself_is_written_byte_for_byte_when_it_is_asked_for(
    broker: EmbeddedBroker,
) -> None:
    """And nothing else, so that it can be mended and published; parts are put together."""
    for place in ("call-ended/0/0", "call-ended/0/1"):
        assert run(broker, "show", place, "--raw") == (0, "", VALUE)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "name a letter (topic/partition/offset), a --reason or a --call-id"),
        (("call-ended/0/9",), 1, "0 letters"),
        (("call-ended/0/3",), 1, "0 letters, and 1 of which parts are missing"),
        (("--reason", "nonsense"), 2, "Invalid value for '--reason'"),
    ],
)
def test_what_cannot_be_shown_is_said(
    broker: EmbeddedBroker, arguments: tuple[str, ...], code: int, said: str
) -> None:
    """On standard error, in a word."""
    found, told, printed = run(broker, "show", *arguments)

    assert (found, printed) == (code, b"")
    assert said in told


def test_of_several_letters_none_is_written_raw(broker: EmbeddedBroker) -> None:
    """Nobody could tell them apart."""
    other = made(7)
    topic = "several"
    broker.create_topic(topic, partitions=1)
    Topic(Cluster(broker.bootstrap_servers), topic).produce([message(made(6)), message(other)])

    code, told, printed = run(broker, "show", "--reason", "refused", "--raw", topic=topic)

    assert (code, told, printed) == (1, "2 letters; name one of them\n", b"")


def test_letters_of_strangers_are_shown_as_far_as_they_can(broker: EmbeddedBroker) -> None:
    """Somebody else's record on the topic, and one from a time that no calendar has."""
    broker.create_topic("strange", partitions=1)
    late = letter(record(None, timestamp=10**17), dead(), None, version="1")
    strange = [Message(value=b"x", partition=0), message(late)]
    Topic(Cluster(broker.bootstrap_servers), "strange").produce(strange)

    code, _, printed = run(broker, "list", topic="strange")

    assert code == 0
    rows = [line for line in lines(printed.decode()) if "│" in line]
    assert "unknown" in rows[0]
    assert "100000000000000000" in rows[1]
    _, _, printed = run(broker, "show", "--reason", "refused", topic="strange")
    assert {"key none", "value none"} <= set(lines(printed.decode()))


def test_a_topic_that_cannot_be_read_is_said(broker: EmbeddedBroker) -> None:
    """It is not there, or nobody is; and it is not made by looking for it."""
    code, told, _ = run(broker, "list", topic="no-such")
    assert code == 1
    assert told == ("no-such cannot be read: topic no-such does not exist, or may not be seen\n")
    assert "no-such" not in Cluster(broker.bootstrap_servers).topics()

    with reserve_port() as nobody:
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
        result = invoke("dlq", "list", environ={"KAFKA_BOOTSTRAP_SERVERS": address})
    assert result.exit_code == 1
    assert "cannot be read: KafkaConnectionError" in result.stderr
