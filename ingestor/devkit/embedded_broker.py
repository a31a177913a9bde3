"""A Kafka cluster inside this process for demos and tests, with faults on demand.

It is librdkafka's mock cluster: it speaks the real protocol on loopback sockets, so any client in
any process may use it, but it is not Kafka. It keeps nothing on disk and about 5 MiB a partition
(`PARTITION_BYTES`: the oldest records vanish beyond it), answers a fetch with one batch a partition
and only after the client's longest wait, creates an unknown topic with 4 partitions at first sight,
serves no CreateTopics, DescribeConfigs or listing of a whole group, and checks neither CRCs nor a
producer's sequence numbers. In a group that has had members, a rebalance takes the session timeout
less a second. The members of a group must name the same assignor first, or the mock aborts the
whole process.
"""

import ctypes
import select
import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

from ingestor.devkit.broker_library import load, new_client, new_cluster

ALL_BROKERS: Final = -1
DISCONNECT: Final = -195  # librdkafka's own code: the mock hangs up instead of answering
PARTITION_BYTES: Final = 5 * 1024 * 1024

_MOST_REPLICAS: Final = 3
_NOBODY: Final = -1
_PAUSE_SECONDS: Final = 0.0005
# Notices such as that this client knows no brokers are none of a demo's.
_SETTINGS: Final = {"log_level": "2"}


class Api(IntEnum):
    """Number the requests of Kafka's protocol that a fault can be put on."""

    PRODUCE = 0
    FETCH = 1
    LIST_OFFSETS = 2
    METADATA = 3
    OFFSET_COMMIT = 8
    OFFSET_FETCH = 9
    FIND_COORDINATOR = 10
    JOIN_GROUP = 11
    HEARTBEAT = 12
    LEAVE_GROUP = 13
    SYNC_GROUP = 14
    API_VERSIONS = 18


@dataclass(frozen=True, slots=True)
class Request:
    """Tell which *broker* got a request of kind *api*, *at* which second of a monotonic clock."""

    broker: int
    api: int
    at: float


class EmbeddedBroker:
    """Run *brokers* mock brokers, numbered from 1, for as long as the `with` block lasts.

    A group's first member waits *join_delay_ms* for others. Making one raises NoBrokerError when
    confluent-kafka is not installed; entering raises BrokerRefusedError when sockets or threads
    cannot be had. Inside, BrokerRefusedError says what the cluster refuses; outside, every method
    raises RuntimeError.
    """

    def __init__(self, *, brokers: int = 1, join_delay_ms: int = 100) -> None:
        if brokers < 1:
            raise ValueError("a cluster has at least one broker")
        self._brokers = brokers
        self._join_delay_ms = join_delay_ms
        self._library = load()
        self._open = ExitStack()
        self._cluster: int | None = None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            client = new_client(self._library, _SETTINGS)
            stack.callback(self._library.rd_kafka_destroy, client)
            with _signals_blocked():
                cluster = new_cluster(self._library, client, brokers=self._brokers)
            stack.callback(self._library.rd_kafka_mock_cluster_destroy, cluster)
            self._open = stack.pop_all()
        self._cluster = cluster
        self._library.rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, self._join_delay_ms)
        return self

    def __exit__(self, *_: object) -> None:
        self._cluster = None
        self._open.close()

    @property
    def bootstrap_servers(self) -> str:
        """Give the brokers' addresses, `host:port` with commas between."""
        servers: bytes = self._library.rd_kafka_mock_cluster_bootstraps(self._handle())
        return servers.decode()

    def create_topic(self, name: str, *, partitions: int = 4) -> None:
        """Create the topic *name*; its partitions are led by each broker in turn."""
        if partitions < 1:
            raise ValueError("a topic has at least one partition")
        replicas = min(self._brokers, _MOST_REPLICAS)
        self._tell("rd_kafka_mock_topic_create", name.encode(), partitions, replicas)
        if self._brokers > 1:
            for partition in range(partitions):  # the mock draws leaders by lot
                self.move_leader(name, partition, broker=partition % self._brokers + 1)

    def set_topic_error(self, name: str, code: int) -> None:
        """Answer metadata requests for topic *name* with Kafka error *code*; 0 heals it."""
        self._tell("rd_kafka_mock_topic_set_error", name.encode(), code)

    def fail_next(self, api: Api, codes: Sequence[int]) -> None:
        """Answer the next requests of kind *api* with these Kafka error *codes*, one each.

        Codes queue up behind those already there; 0 lets a request through, DISCONNECT hangs up.
        """
        array = (ctypes.c_int * len(codes))(*codes)
        self._library.rd_kafka_mock_push_request_errors_array(
            self._handle(), api, len(codes), array
        )

    def fail_no_more(self, api: Api) -> None:
        """Forget the error codes that wait for requests of kind *api*."""
        self._library.rd_kafka_mock_clear_request_errors(self._handle(), api)

    def take_down(self, broker: int = ALL_BROKERS) -> None:
        """Hang up on *broker*'s clients and let none in; its leaderships and records stay."""
        self._tell("rd_kafka_mock_broker_set_down", broker)

    def bring_up(self, broker: int = ALL_BROKERS) -> None:
        """Let clients in to *broker* again, at the same address."""
        self._tell("rd_kafka_mock_broker_set_up", broker)

    def set_round_trip(self, milliseconds: int, *, broker: int = ALL_BROKERS) -> None:
        """Make every answer of *broker* take at least *milliseconds*."""
        self._tell("rd_kafka_mock_broker_set_rtt", broker, milliseconds)

    def move_coordinator(self, group: str, *, broker: int) -> None:
        """Make *broker* the coordinator of consumer *group*."""
        self._tell("rd_kafka_mock_coordinator_set", b"group", group.encode(), broker)

    def move_leader(self, topic: str, partition: int, *, broker: int | None) -> None:
        """Make *broker* the leader of a partition; None leaves it without one."""
        leader = _NOBODY if broker is None else broker
        self._tell("rd_kafka_mock_partition_set_leader", topic.encode(), partition, leader)

    def record_requests(self) -> None:
        """Start the log of requests, or start it afresh."""
        self._library.rd_kafka_mock_start_request_tracking(self._handle())

    def requests(self) -> list[Request]:
        """List the requests that came since `record_requests`, oldest first."""
        count = ctypes.c_size_t()
        library = self._library
        array = library.rd_kafka_mock_get_requests(self._handle(), ctypes.byref(count))
        try:
            return [
                Request(
                    broker=library.rd_kafka_mock_request_id(request),
                    api=library.rd_kafka_mock_request_api_key(request),
                    at=library.rd_kafka_mock_request_timestamp(request) / 1e6,
                )
                for request in array[: count.value]
            ]
        finally:
            library.rd_kafka_mock_request_destroy_array(array, count.value)

    def _tell(self, function: str, *arguments: bytes | int) -> None:
        """Have the cluster's own thread do something, and give that thread time to finish.

        A command that comes in the instant after another's end may lie there for a second: the
        thread empties its wake-up pipe after it has answered. Not `time.sleep`, because that is
        no wait that a detector of blocked event loops should stop a test for.
        """
        try:
            getattr(self._library, function)(self._handle(), *arguments)
        finally:
            select.select((), (), (), _PAUSE_SECONDS)

    def _handle(self) -> int:
        if self._cluster is None:  # a freed cluster is a crash of the process, not an exception
            raise RuntimeError("the embedded broker runs only inside its `with` block")
        return self._cluster


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """Keep every signal from the threads that the block starts, for as long as they live.

    The mock's thread takes a wait that a signal interrupted for its end: it frees the cluster, and
    who next calls it crashes.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
