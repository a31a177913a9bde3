"""Log lines are for machines, or for people at a terminal; libraries are kept short."""

import asyncio
import gc
import io
import json
import logging
import os
import pty
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog

from ingestor.edge.logs import QUIET_SECONDS, Seldom, configure

PRIVATE = "+1 555 0100"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Undo what is set for the whole process."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    """Read JSON lines."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_with_a_time_and_a_level() -> None:
    """Its event is a stable name, everything else is a field."""
    stream = io.StringIO()

    configure("info", "json", stream).warning("letter", reason="invalid", offset=7, status=None)

    (line,) = lines(stream)
    when = datetime.fromisoformat(line.pop("timestamp"))
    assert timedelta() <= datetime.now(UTC) - when < timedelta(seconds=5)
    assert line == {
        "event": "letter",
        "level": "warning",
        "reason": "invalid",
        "offset": 7,
        "status": None,
    }


def test_any_text_stays_on_its_line() -> None:
    """A call_id is the publisher's: it can neither begin a line nor break the output."""
    stream, hostile = io.StringIO(), 'x\n{"event": "drained"}\r\x1b[2J\u2028\ud800'

    configure("info", "json", stream).info("letter", call_id=hostile)

    (line,) = lines(stream)
    assert line["call_id"] == hostile
    assert stream.getvalue().isascii()


@pytest.mark.parametrize(("level", "told"), [("debug", 3), ("INFO", 2), ("warning", 1)])
def test_lines_below_the_level_are_not_told(level: str, told: int) -> None:
    """The level is that of our own lines."""
    stream = io.StringIO()
    log = configure(level, "json", stream)

    log.debug("a")
    log.info("b")
    log.warning("c")

    assert len(lines(stream)) == told


def test_auto_is_json_where_nobody_looks() -> None:
    """In a container standard error is a pipe."""
    stream = io.StringIO()

    configure("info", "auto", stream).info("started")

    assert lines(stream)[0]["event"] == "started"


@pytest.mark.parametrize("form", ["auto", "console"])
def test_a_terminal_gets_colours(form: str) -> None:
    """And nothing else that a terminal obeys: no text of a publisher moves the cursor."""
    controller, terminal = pty.openpty()
    with open(terminal, "w", encoding="utf-8") as stream:  # noqa: PTH123 - a descriptor has no path
        log = configure("info", form, stream)
        log.info("letter", call_id="\x1b[2J\N{LATIN SMALL LETTER E WITH ACUTE}", reason="invalid")
        logging.getLogger("library").warning("broken\rline")
        shown = ""
        while shown.count("\n") < 2:
            shown += os.read(controller, 10_000).decode()
    os.close(controller)

    assert "\x1b[" in shown
    assert "letter" in shown
    assert "invalid" in shown
    assert r"\x1b[2J\xe9" in shown
    assert r"broken\rline" in shown
    assert not shown.startswith("{")


def test_console_without_a_terminal_has_no_colours() -> None:
    """Somebody reads it in a file."""
    stream = io.StringIO()

    configure("info", "console", stream).info("started", version="1")

    assert "\x1b" not in stream.getvalue()
    assert "started" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


# Libraries


@pytest.mark.parametrize("form", ["json", "console"])
def test_libraries_speak_in_the_same_form(form: str) -> None:
    """One stream has one form; the name of the library is a field."""
    stream = io.StringIO()
    configure("info", form, stream)

    logging.getLogger("aiokafka.conn").error("lost %s", "broker 1")

    assert "lost broker 1" in stream.getvalue()
    if form == "json":
        (line,) = lines(stream)
        assert (line["event"], line["level"]) == ("lost broker 1", "error")
        assert line["logger"] == "aiokafka.conn"
        assert "timestamp" in line


def test_libraries_never_speak_below_warning() -> None:
    """At DEBUG a Kafka client prints whole answers, whatever level we or it were set to."""
    stream = io.StringIO()
    configure("debug", "json", stream)
    library = logging.getLogger("aiokafka.quiet")
    library.setLevel(logging.DEBUG)
    try:
        library.debug("response: %s", PRIVATE)
        library.info("fetched: %s", PRIVATE)
    finally:
        library.setLevel(logging.NOTSET)

    assert stream.getvalue() == ""


@pytest.mark.parametrize("form", ["json", "console"])
def test_the_text_of_a_librarys_exception_is_not_told(form: str) -> None:
    """It may quote what a call holds, and so may the locals around it: type and place must do."""
    stream = io.StringIO()
    configure("debug", form, stream)
    library = logging.getLogger("aiohttp.server")

    try:
        int(PRIVATE)
    except ValueError:
        library.exception("Error handling request")
    library.error("without one", exc_info=True)

    assert PRIVATE not in stream.getvalue()
    assert "ValueError at test_logs.py:" in stream.getvalue()
    assert "without one" in stream.getvalue()


async def test_a_task_that_nobody_asked_says_no_value() -> None:
    """asyncio tells of exceptions that were lost; what they say may be private as well."""
    stream = io.StringIO()
    configure("debug", "json", stream)

    asyncio.get_running_loop().call_exception_handler(
        {"message": "lost", "exception": ValueError(PRIVATE)}
    )

    (line,) = lines(stream)
    assert (line["logger"], line["error"]) == ("asyncio", "ValueError")
    assert PRIVATE not in stream.getvalue()


async def test_what_asyncio_quotes_is_not_told() -> None:
    """A task's exception, as the task shows it, and the arguments of a callback."""

    async def fail() -> None:
        raise ValueError(PRIVATE)

    def fail_with(text: str) -> None:
        raise KeyError(text)

    stream, loop = io.StringIO(), asyncio.get_running_loop()
    configure("debug", "json", stream)
    task = loop.create_task(fail())
    await asyncio.wait([task])
    del task
    gc.collect()
    logging.getLogger().handlers[0].filters.clear()
    loop.call_soon(fail_with, PRIVATE)
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    lost, failed = lines(stream)
    assert lost["event"] == "Task exception was never retrieved"
    assert lost["error"].startswith("ValueError at test_logs.py:")
    assert failed["event"].startswith("Exception in callback test_what_asyncio_quotes")
    assert PRIVATE not in stream.getvalue()


def filtered(now: list[float]) -> tuple[logging.Logger, list[str]]:
    """Build a logger of a library, limited by the clock *now*, and the list of what it says."""
    said: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    logger, listener = logging.Logger("library"), Listener()  # noqa: LOG001 - of this test alone
    listener.addFilter(Seldom(lambda: now[0]))
    logger.addHandler(listener)
    return logger, said


def test_a_library_repeats_itself_only_seldom() -> None:
    """A broker that is gone is worth a line now and then, not sixty in a second."""
    now = [100.0]
    logger, said = filtered(now)

    def complain(number: int) -> None:
        logger.error("no broker, try %d of 100%%", number)

    for number in range(50):
        complain(number)
    assert said == ["no broker, try 0 of 100%"]

    now[0] += QUIET_SECONDS
    complain(50)
    complain(51)
    assert said[1:] == ["no broker, try 50 of 100% (and 49 more like it)"]

    now[0] += QUIET_SECONDS * 9
    complain(52)
    assert said[2:] == ["no broker, try 52 of 100% (and 1 more like it)"]

    now[0] += QUIET_SECONDS
    complain(53)
    assert said[3:] == ["no broker, try 53 of 100%"]


def test_other_lines_of_a_library_are_not_held_back() -> None:
    """What is limited is a place in its code, not the library."""
    logger, said = filtered([100.0])

    logger.error("one")
    logger.error("another")

    assert said == ["one", "another"]
