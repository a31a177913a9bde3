"""A decoded event."""

from builders import call
from core.tables import table

from ingestor.core.call import Call


@table(
    "own, expected",
    {
        "neither id": (call(), False),
        "a workspace": (call(workspace=7), True),
        "an agent": (call(agent="front-desk"), True),
        "a workspace of zero": (call(workspace=0), True),
        "an empty agent": (call(agent=""), True),
    },
)
def test_an_event_may_say_where_it_goes(own: Call, *, expected: bool) -> None:
    """Any value of a routing field counts, only its absence does not."""
    assert own.has_own_ids is expected
