"""What came back from one attempt."""

from enum import StrEnum

from msgspec import Struct


class Fault(StrEnum):
    """Why there is no answer."""

    CONNECT = "connect"
    TIMEOUT = "timeout"
    DISCONNECTED = "disconnected"
    CUT_OFF = "cut_off"
    NOT_HTTP = "not_http"
    TLS = "tls"
    UNKNOWN_HOST = "unknown_host"


class Answered(Struct, frozen=True, gc=False):
    """A status with its *body*, of which no more than the first megabyte is kept (then *is_whole*
    is false). *is_repeat* when it is that of a second request: a connection that was kept from
    earlier calls had swallowed the first, and Tuner may have heard it all the same.
    """

    status: int
    body: bytes = b""
    retry_after: str | None = None
    is_whole: bool = True
    is_repeat: bool = False


class Unanswered(Struct, frozen=True, gc=False):
    """No answer, or one that was cut off; *is_repeat* as of an answer."""

    fault: Fault
    is_repeat: bool = False


Answer = Answered | Unanswered
