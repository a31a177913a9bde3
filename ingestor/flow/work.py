"""What a record is on its way along the road."""

from msgspec import Struct

from ingestor.core.call import Call
from ingestor.core.effort import Effort
from ingestor.core.offsets import Claim
from ingestor.core.record import Record
from ingestor.core.route import Route
from ingestor.flow.way import Way


class Routed(Struct, frozen=True, gc=False):
    """A call, and where it goes."""

    call: Call
    route: Route


class Work(Struct, frozen=True, gc=False):
    """A claimed record that is a call, and the attempts at it so far."""

    record: Record
    claim: Claim
    call: Call
    way: Way
    effort: Effort
