"""What holds for every answer, whatever a server sends."""

import json

from builders import answered, circumstances
from core.strategies import json_values, many
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.answer import Answered
from ingestor.core.judgement import judge
from ingestor.core.verdict import Accepted, Circumstances, Hold, Refused, TryAgain

SECRET = "Zq7 "  # noqa: S105 - stands in every value that must not show
_values = json_values(
    st.text(max_size=3).map(SECRET.__add__) | st.none() | st.floats() | st.integers(),
    st.text(max_size=3).map(SECRET.__add__) | st.sampled_from(["loc", "type", "msg", "input"]),
)
_items = st.fixed_dictionaries(
    {},
    optional={
        "type": _values | st.sampled_from(["missing", "value_error"]),
        "loc": st.lists(st.just("body") | _values | st.integers(), max_size=20) | _values,
        "msg": _values,
        "input": _values,
        "ctx": _values,
    },
)


@many
@given(st.lists(_items | _values, max_size=30) | _values, st.sampled_from([400, 404, 413, 422]))
def test_nothing_that_tuner_echoes_is_told(detail: object, status: int) -> None:
    """Whatever is in the details, and however deep, and however much of it."""
    verdict = judge(answered(status, {"detail": detail}), circumstances())

    assert SECRET.strip() not in repr(verdict)
    assert len(repr(verdict)) < 50_000


_answers = st.builds(
    Answered,
    st.integers(0, 999),
    st.binary() | json_values().map(lambda value: json.dumps(value).encode()),
    st.none() | st.text(),
    st.booleans(),
)


@many
@given(_answers, st.builds(Circumstances, st.floats(0, 1e10), st.booleans(), st.booleans()))
def test_every_answer_has_a_verdict(answer: Answered, when: Circumstances) -> None:
    """Nothing that a server says raises; and nothing but an acceptance settles."""
    verdict = judge(answer, when)

    assert isinstance(verdict, Accepted | Refused | TryAgain | Hold)
    assert not isinstance(verdict, Accepted) or answer.status in {*range(200, 300), 409}
