"""Finds out whether another process has taken our place in the group.

Two processes with one `group.instance.id` push each other out: the group knows only the one that
joined last. Our client's heartbeats do not name the instance, so to it this looks as if its session
had run out. It would join again, push the other out, and be pushed out in turn, every second, both
of them posting the same calls. A heartbeat that names the instance tells the two apart.
"""

import asyncio
from typing import Any, NoReturn

from aiokafka.errors import KafkaError
from aiokafka.protocol.api import Request, RequestStruct
from aiokafka.protocol.group import HeartbeatResponse_v1
from aiokafka.protocol.types import Int32, Schema, String

ANSWER_SECONDS = 5.0
FENCED_INSTANCE_ID = 82


class FencedError(Exception):
    """Says that another process has joined under our instance id."""


class _Heartbeat(RequestStruct):  # type: ignore[misc]  # aiokafka is not typed
    API_KEY = 12
    API_VERSION = 3
    RESPONSE_TYPE = HeartbeatResponse_v1
    SCHEMA = Schema(
        ("group", String("utf-8")),
        ("generation_id", Int32),
        ("member_id", String("utf-8")),
        ("group_instance_id", String("utf-8")),
    )


class _HeartbeatRequest(Request[_Heartbeat]):  # type: ignore[misc]  # see above
    API_KEY = 12

    def __init__(self, *fields: str | int) -> None:
        self._fields = fields

    def build(self, request_struct_class: type[_Heartbeat]) -> _Heartbeat:
        return request_struct_class(*self._fields)


class Fence:
    """Knows our place in the group, as a member with a stable name; without one, nothing."""

    def __init__(self, instance_id: str | None) -> None:
        self._instance_id = instance_id
        self._place: tuple[int, str] | None = None

    def note(self, consumer: Any) -> None:
        """Note the place that *consumer* was just given."""
        coordinator = consumer._coordinator  # noqa: SLF001 - nothing public tells the place
        self._place = (coordinator.generation, coordinator.member_id)

    async def is_shut(self, consumer: Any) -> bool:
        """Whether *consumer* lost its place to another process, and not to a rebalance or to its
        own silence; False when the broker does not say.
        """
        coordinator = consumer._coordinator  # noqa: SLF001 - see above
        if self._instance_id is None or self._place is None or coordinator.member_id:
            return False
        request = _HeartbeatRequest(coordinator.group_id, *self._place, self._instance_id)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await consumer._client.send(coordinator.coordinator_id, request)  # noqa: SLF001 - see above
        except (KafkaError, TimeoutError, NotImplementedError):  # the latter: a broker before 2.3
            return False
        return bool(answer.error_code == FENCED_INSTANCE_ID)


def abandon(consumer: Any) -> NoReturn:
    """End the coordination of *consumer* from within its rebalance: it would join again, and push
    the other process out.

    Whoever waits for the next assignment is told; a cancellation alone would leave them waiting.
    """
    consumer._subscription.abort_waiters(KafkaError("fenced"))  # noqa: SLF001 - nothing public ends a rebalance
    raise asyncio.CancelledError
