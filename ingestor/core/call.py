"""A decoded and validated call-ended event."""

from msgspec import Struct


class Call(Struct, frozen=True, gc=False):
    """A call as it is posted: *body* is what Tuner gets, byte for byte, at every attempt.

    *workspace* and *agent* are the event's own routing fields as they stand in the body, of any
    JSON type, None when absent.
    """

    call_id: str
    body: bytes
    workspace: object = None
    agent: object = None

    @property
    def has_own_ids(self) -> bool:
        """Whether the event itself says anything of where it goes."""
        return self.workspace is not None or self.agent is not None
