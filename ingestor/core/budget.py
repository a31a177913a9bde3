"""How often a record may fail.

An attempt counts against a record only if its destination accepted another call since the record's
last one: then the fault is the record's. In an outage nothing counts.
"""


class Budget:
    """The failures of one record: at most *limit* of them while others are accepted."""

    __slots__ = ("_accepted", "_limit", "spent")

    def __init__(self, limit: int, accepted: int) -> None:
        """Start with the number of calls that the destination had *accepted* before the first
        attempt.
        """
        self._limit = limit
        self._accepted = accepted
        self.spent = 0

    def fail(self, accepted: int) -> bool:
        """Note a failed attempt and how many calls were *accepted* until now; whether the budget is
        used up.
        """
        if accepted > self._accepted:
            self._accepted = accepted
            self.spent += 1
        return self.spent >= self._limit
