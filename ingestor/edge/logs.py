"""Structured logs on stderr: JSON lines, or colours on a terminal.

Libraries may say what they like, at most a line every few seconds each, and never below WARNING: at
DEBUG aiokafka prints whole answers, transcripts included. Of their exceptions only type and place
are told: the text of one, and the locals around it, may quote what a call holds.
"""

import logging
import re
import sys
import time
from collections.abc import Callable
from typing import TextIO

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor

from ingestor.core.stack import describe

Log = FilteringBoundLogger
QUIET_SECONDS = 10.0
# Where asyncio begins to quote: the arguments of a callback, a task with its exception.
_QUOTES = re.compile(r"[(<\n]")
# Says at every rebalance that partitions have two owners, because it never learns of generations.
MISTAKEN = "aiokafka.coordinator.assignors.sticky"


class Seldom(logging.Filter):
    """Lets one line of a library pass, and counts those of the next seconds; *now* is a clock."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now = now
        self._seen: dict[tuple[str, int], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether *record* is said."""
        place = (record.pathname, record.lineno)
        now = self._now()
        since, held_back = self._seen.get(place, (-QUIET_SECONDS, 0))
        if now - since < QUIET_SECONDS:
            self._seen[place] = (since, held_back + 1)
            return False
        self._seen[place] = (now, 0)
        if held_back:
            record.msg = f"{record.msg} (and {held_back} more like it)"
        return True


def configure(level: str, form: str, stream: TextIO = sys.stderr) -> Log:
    """Set logging up: *level* by name, *form* `json`, `console` or `auto` (by the terminal)."""
    is_console = form == "console" or (form == "auto" and stream.isatty())
    shared: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Processor] = (
        [_printable, structlog.dev.ConsoleRenderer(colors=stream.isatty())]
        if is_console
        else [structlog.processors.JSONRenderer()]
    )
    _configure_libraries(shared, last, stream)
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    logger: Log = structlog.get_logger()
    return logger


def _configure_libraries(shared: list[Processor], last: list[Processor], stream: TextIO) -> None:
    handler = logging.StreamHandler(stream)
    # Not only the root's level: a library may have set its own.
    handler.setLevel(logging.WARNING)
    handler.addFilter(Seldom())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name, _without_text],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(MISTAKEN).setLevel(logging.ERROR)


def _printable(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Escape what a terminal would obey: a call_id is the publisher's."""
    return {
        name: value.encode("unicode_escape").decode()
        if isinstance(value, str) and not value.isprintable()
        else value
        for name, value in event.items()
    }


def _without_text(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Replace an exception by its type and place; asyncio also writes it into what it says."""
    if event["logger"] == "asyncio":
        event["event"] = _QUOTES.split(event["event"], 1)[0].rstrip()
    match event.pop("exc_info", None):
        case (_, BaseException() as error, _):
            event["error"] = describe(error)
        case _:
            pass
    return event
