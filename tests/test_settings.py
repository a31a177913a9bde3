"""Settings: where each comes from, what must fit together, and all problems at once."""

from pathlib import Path

import pytest
from pydantic import ValidationError
from settings_builders import COMPLETE, bad, good, warned

from ingestor.settings import Problem, Problems, Unreadable, describe, load, read_toml


def test_the_four_required_settings_are_enough() -> None:
    """Everything else has a default, and the defaults fit together."""
    settings = good()

    assert settings.kafka.bootstrap_servers == ("broker:9092",)
    assert settings.tuner.workspace_id == 7
    assert settings.ingestor.max_concurrency == 64
    assert settings.warnings == ()
    assert settings.routes == ()
    assert [credential.name for credential in settings.credentials] == ["default"]


def test_the_environment_goes_before_the_file_and_the_file_before_the_default() -> None:
    """Whoever deploys decides last, and check says who it was."""
    toml = {"kafka": {"topics": ["a", "b"], "group_id": "of-the-file"}}

    settings = good({"KAFKA_GROUP_ID": "of-the-environment"}, toml)

    assert settings.kafka.group_id == "of-the-environment"
    assert settings.kafka.topics == ("a", "b")
    rows = {row.name: (row.shown, row.source) for row in settings.rows}
    assert rows["KAFKA_GROUP_ID"] == ("of-the-environment", "environment")
    assert rows["KAFKA_TOPICS"] == ("a, b", "config file")
    assert rows["KAFKA_CLIENT_ID"] == ("tuner-ingestor", "default")
    assert rows["TUNER_API_KEY"] == ("********", "environment")


def test_an_empty_text_counts_as_not_set() -> None:
    """Charts and compose files write empty variables for what nobody chose."""
    settings = good({"KAFKA_GROUP_ID": "", "KAFKA_TOPICS": " "}, {"kafka": {"client_id": ""}})

    assert settings.kafka.group_id == "tuner-ingestor"
    assert settings.kafka.topics == ("call-ended",)
    assert settings.kafka.client_id == "tuner-ingestor"
    assert "TUNER_AGENT_ID" in bad({"TUNER_AGENT_ID": ""})


def test_a_value_of_the_file_that_the_environment_replaces_is_not_judged() -> None:
    """Only what is effective can be wrong."""
    settings = good({"INGESTOR_MAX_ATTEMPTS": "3"}, {"ingestor": {"max_attempts": "many"}})

    assert settings.ingestor.max_attempts == 3


def test_settings_cannot_be_changed() -> None:
    """What was checked is what runs."""
    settings = good()

    with pytest.raises(ValidationError, match="frozen"):
        settings.kafka.group_id = "other"  # type: ignore[misc] # that it cannot be set is the rule


def test_a_problem_says_what_is_allowed_and_what_to_do() -> None:
    """Nobody should need the manual to correct a setting."""
    problems = bad(
        {"INGESTOR_MAX_ATTEMPTS": "x", "TUNER_WORKSPACE_ID": "x", "KAFKA_GROUP_INSTANCE_ID": "?"}
    )

    assert problems["INGESTOR_MAX_ATTEMPTS"] == (
        "must be a whole number from 1 to 1,000; correct it, or remove it for the default (8)"
    )
    assert problems["TUNER_WORKSPACE_ID"] == "must be a whole number of at least 1; correct it"
    assert problems["KAFKA_GROUP_INSTANCE_ID"].endswith("; correct or remove it")


def test_every_problem_is_told_at_once() -> None:
    """Bad, missing, unknown and unfit together: a second start brings nothing new."""
    toml = {"kafka": {"topix": "a"}, "tunr": {}, "ingestor": 3}
    environ = {
        "KAFKA_TOPICS": "a,letters",
        "KAFKA_DEAD_LETTER_TOPIC": "letters",
        "TUNER_API_KEY": "a b",
        "INGESTOR_MAX_EVENT_BYTES": "1GiB",
        "KAFKA_TOPIC": "a",
    }

    problems = load(environ, toml)

    assert isinstance(problems, Problems)
    assert {problem.name for problem in problems.problems} == {
        "KAFKA_BOOTSTRAP_SERVERS",
        "TUNER_WORKSPACE_ID",
        "TUNER_AGENT_ID",
        "TUNER_API_KEY",
        "KAFKA_TOPICS",
        "INGESTOR_MAX_BUFFER_BYTES",
        "KAFKA_TOPIC",
        "kafka.topix",
        "tunr",
        "ingestor",
    }


def test_plain_http_to_another_machine_needs_leave() -> None:
    """It would carry the key in the clear."""
    settings = good({"TUNER_BASE_URL": "http://tuner.internal", "TUNER_ALLOW_HTTP": "true"})

    assert settings.tuner.base_url == "http://tuner.internal"
    assert list(bad({"TUNER_BASE_URL": "http://t", "TUNER_ALLOW_HTTP": "x"})) == [
        "TUNER_ALLOW_HTTP"
    ]


def test_a_rule_on_two_settings_uses_the_names_that_were_written() -> None:
    """Whoever wrote a TOML file looks for its keys."""
    toml = {"kafka": {"topics": "a", "dead_letter_topic": "a"}}

    assert "kafka.dead_letter_topic" in bad({}, toml)["kafka.topics"]


def test_a_rule_on_two_settings_is_silent_while_one_of_them_is_bad() -> None:
    """A problem that may be none only distracts."""
    topics = {"KAFKA_TOPICS": "tuner-ingestor.dead-letters", "KAFKA_DEAD_LETTER_TOPIC": "!"}
    sizes = {"INGESTOR_MAX_BUFFER_BYTES": "lots", "INGESTOR_MAX_EVENT_BYTES": "100MiB"}

    assert list(bad(topics)) == ["KAFKA_DEAD_LETTER_TOPIC"]
    assert list(bad(sizes)) == ["INGESTOR_MAX_BUFFER_BYTES"]


def test_the_longest_backoff_is_not_below_the_first() -> None:
    """Otherwise one of the two numbers means nothing."""
    assert list(bad({"INGESTOR_BACKOFF_BASE_SECONDS": "61"})) == ["INGESTOR_BACKOFF_MAX_SECONDS"]


def test_a_timeout_beyond_the_drain_warns() -> None:
    """A stop would cut off requests that are still good."""
    assert "TUNER_TIMEOUT_SECONDS" in warned(good({"TUNER_TIMEOUT_SECONDS": "21"}))


def test_the_table_lists_every_setting_in_its_order() -> None:
    """The README's table is compared with this one."""
    table = describe()

    assert [row.name for row in good().rows] == [row.name for row in table]
    assert table[0].name == "KAFKA_BOOTSTRAP_SERVERS"
    assert len(table) == 47
    assert all(row.description for row in table)
    assert {row.name for row in table if row.default == "required"} == set(COMPLETE)
    assert {row.name for row in table if row.is_secret} == {
        "KAFKA_SASL_PASSWORD",
        "KAFKA_SASL_OAUTH_CLIENT_SECRET",
        "KAFKA_SSL_KEY_PASSWORD",
        "TUNER_API_KEY",
    }
    shown = {row.name: row.default for row in table}
    assert shown["KAFKA_TOPICS"] == "call-ended"
    assert shown["INGESTOR_MAX_BUFFER_BYTES"] == "64 MiB"
    assert shown["INGESTOR_BACKOFF_BASE_SECONDS"] == "0.5"
    assert shown["TUNER_ALLOW_HTTP"] == "false"
    assert shown["INGESTOR_EVENT_TYPES"] == "none"
    assert shown["INGESTOR_LETTER_GUARD"] == "20/50%"


def test_every_shown_default_is_the_default() -> None:
    """What the table shows can be written as it stands."""
    shown = {row.name: row.default for row in describe()}
    written = {
        name: default for name, default in shown.items() if default not in {"none", "required"}
    }

    written_out, left_out = good(written), good()

    assert written_out.kafka == left_out.kafka
    assert written_out.tuner == left_out.tuner
    assert written_out.ingestor == left_out.ingestor


@pytest.mark.parametrize(
    ("written", "shown"),
    [("2GiB", "2 GiB"), ("9000 KiB", "9000 KiB"), ("8388609", "8388609 bytes")],
)
def test_a_size_is_shown_in_its_largest_whole_unit(written: str, shown: str) -> None:
    """Exact, and no longer than need be."""
    rows = {row.name: row.shown for row in good({"INGESTOR_MAX_BUFFER_BYTES": written}).rows}

    assert rows["INGESTOR_MAX_BUFFER_BYTES"] == shown


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"[kafka]\ntopics = nothing", "not valid TOML, line 2, column 10"),
        (b"[kafka]\ntopics = [", "not valid TOML, line 2, column 11"),
        (b"a = 1\n\xffb = 2", "not text in UTF-8, line 2, column 1"),
        (b"a = " + b"9" * 5000, "not valid TOML, line 1, column 5005"),
        (b"a = " + b"[" * 100_000, "not valid TOML, line 1, column 100005"),
    ],
)
def test_bad_toml_is_told_by_line_and_column(tmp_path: Path, content: bytes, why: str) -> None:
    """Only by its place: what stands there may be a secret without its quotes."""
    path = tmp_path / "config.toml"
    path.write_bytes(content)

    assert read_toml(path) == Unreadable(why)


def test_a_problem_reads_as_name_and_message() -> None:
    """The line that people see."""
    assert str(Problem("KAFKA_TOPICS", "must name each topic once")) == (
        "KAFKA_TOPICS: must name each topic once"
    )
