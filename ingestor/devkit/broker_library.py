"""Opens the librdkafka inside confluent-kafka and declares the mock-cluster functions we call.

librdkafka exports a cluster of mock brokers (`rdkafka_mock.h`: experimental, "subject to change or
removal") that its Python binding does not offer. The functions are looked up through the binding's
own extension module and not in a file found by name: a handle from dlopen also searches what its
file is linked to, on Linux and macOS, whether librdkafka came in the wheel or with the system.
"""

import ctypes
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

_PRODUCER: Final = 0  # RD_KAFKA_PRODUCER
_CONF_OK: Final = 0  # RD_KAFKA_CONF_OK

_POINTER: Final = ctypes.c_void_p
_POINTERS: Final = ctypes.POINTER(ctypes.c_void_p)
_TEXT: Final = ctypes.c_char_p
_CODE: Final = ctypes.c_int  # rd_kafka_resp_err_t
_INT: Final = ctypes.c_int
_INT16: Final = ctypes.c_int16
_INT32: Final = ctypes.c_int32
_INT64: Final = ctypes.c_int64
_SIZE: Final = ctypes.c_size_t

# What each function takes, and gives back where that is not an error code. All of them are in
# confluent-kafka 2.11, and none is variadic: ctypes cannot call those on every processor.
_ANSWERS_CODE: Final[Mapping[str, list[type[Any]]]] = {
    "rd_kafka_mock_topic_create": [_POINTER, _TEXT, _INT, _INT],
    "rd_kafka_mock_partition_set_leader": [_POINTER, _TEXT, _INT32, _INT32],
    "rd_kafka_mock_coordinator_set": [_POINTER, _TEXT, _TEXT, _INT32],
    "rd_kafka_mock_broker_set_down": [_POINTER, _INT32],
    "rd_kafka_mock_broker_set_up": [_POINTER, _INT32],
    "rd_kafka_mock_broker_set_rtt": [_POINTER, _INT32, _INT],
}
_ANSWERS_OTHER: Final[Mapping[str, tuple[type[Any] | None, list[type[Any]]]]] = {
    "rd_kafka_conf_new": (_POINTER, []),
    "rd_kafka_conf_set": (_INT, [_POINTER, _TEXT, _TEXT, _TEXT, _SIZE]),
    "rd_kafka_conf_destroy": (None, [_POINTER]),
    "rd_kafka_new": (_POINTER, [_INT, _POINTER, _TEXT, _SIZE]),
    "rd_kafka_destroy": (None, [_POINTER]),
    "rd_kafka_err2str": (_TEXT, [_CODE]),
    "rd_kafka_mock_cluster_new": (_POINTER, [_POINTER, _INT]),
    "rd_kafka_mock_cluster_destroy": (None, [_POINTER]),
    "rd_kafka_mock_cluster_bootstraps": (_TEXT, [_POINTER]),
    "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, [_POINTER, _INT32]),
    "rd_kafka_mock_topic_set_error": (None, [_POINTER, _TEXT, _CODE]),
    "rd_kafka_mock_push_request_errors_array": (
        None,
        [_POINTER, _INT16, _SIZE, ctypes.POINTER(_CODE)],
    ),
    "rd_kafka_mock_clear_request_errors": (None, [_POINTER, _INT16]),
    "rd_kafka_mock_start_request_tracking": (None, [_POINTER]),
    "rd_kafka_mock_get_requests": (_POINTERS, [_POINTER, ctypes.POINTER(_SIZE)]),
    "rd_kafka_mock_request_id": (_INT32, [_POINTER]),
    "rd_kafka_mock_request_api_key": (_INT16, [_POINTER]),
    "rd_kafka_mock_request_timestamp": (_INT64, [_POINTER]),
    "rd_kafka_mock_request_destroy_array": (None, [_POINTERS, _SIZE]),
}


class NoBrokerError(Exception):
    """Says why there can be no embedded broker here, and what would help."""


class BrokerRefusedError(Exception):
    """Says what librdkafka answered instead of doing as it was told."""


def load(module: str = "confluent_kafka.cimpl") -> ctypes.CDLL:
    """Open the librdkafka that the extension *module* is linked to, every function declared.

    Raises NoBrokerError when *module* is not installed or brings no mock cluster.
    """
    try:
        extension = import_module(module)
    except ImportError as error:
        raise NoBrokerError(
            f"the embedded broker needs confluent-kafka: pip install 'ingestor[demo]' ({error})"
        ) from error
    try:
        library = ctypes.CDLL(extension.__file__)
        _declare(library)
    except (OSError, AttributeError) as error:
        raise NoBrokerError(f"{module} brings no mock cluster we can call: {error}") from error
    return library


def new_client(library: ctypes.CDLL, settings: Mapping[str, str]) -> int:
    """Make a librdkafka client with *settings*; the caller ends it with `rd_kafka_destroy`.

    Raises BrokerRefusedError with librdkafka's reason.
    """
    reason = ctypes.create_string_buffer(512)
    conf = library.rd_kafka_conf_new()
    for name, value in settings.items():
        answer = library.rd_kafka_conf_set(conf, name.encode(), value.encode(), reason, len(reason))
        if answer != _CONF_OK:
            library.rd_kafka_conf_destroy(conf)
            raise BrokerRefusedError(reason.value.decode())
    client = library.rd_kafka_new(_PRODUCER, conf, reason, len(reason))
    if client is None:  # only a client that was made owns the configuration
        library.rd_kafka_conf_destroy(conf)
    return _made(client, reason.value.decode())


def new_cluster(library: ctypes.CDLL, client: int, *, brokers: int) -> int:
    """Make a mock cluster inside *client*; the caller ends it first, by its own destroy.

    Raises BrokerRefusedError when its sockets or threads cannot be had.
    """
    cluster = library.rd_kafka_mock_cluster_new(client, brokers)
    return _made(cluster, f"no mock cluster of {brokers} brokers")


def _made(pointer: int | None, reason: str) -> int:
    if pointer is None:
        raise BrokerRefusedError(reason)
    return pointer


def _declare(library: ctypes.CDLL) -> None:
    def check(code: int) -> None:
        if code:
            raise BrokerRefusedError(library.rd_kafka_err2str(code).decode())

    for name, takes in _ANSWERS_CODE.items():
        function = getattr(library, name)
        # A result type that is a plain function is called with the C int that came back.
        function.argtypes, function.restype = takes, check
    for name, (gives, takes) in _ANSWERS_OTHER.items():
        function = getattr(library, name)
        function.argtypes, function.restype = takes, gives
