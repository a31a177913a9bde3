"""Settings: secrets, the files they are read from, and that they never show."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import SecretStr
from settings_builders import SASL, SECRET, bad, good

from ingestor.settings import Unreadable, load, reread


def test_a_secret_is_read_from_the_file_that_is_named(tmp_path: Path) -> None:
    """One newline at the end belongs to the editor, the rest to the secret."""
    (tmp_path / "key").write_text(f"{SECRET}\r\n")
    (tmp_path / "password").write_text(" two words \n\n")
    changes = {
        "TUNER_API_KEY": "",
        "TUNER_API_KEY_FILE": str(tmp_path / "key"),
        "KAFKA_SASL_USERNAME": "reader",
        "KAFKA_SASL_PASSWORD_FILE": str(tmp_path / "password"),
    }

    settings = good(SASL | changes)

    assert settings.tuner.api_key == SecretStr(SECRET)
    assert settings.kafka.sasl_password == SecretStr(" two words \n")
    rows = {row.name: row for row in settings.rows}
    assert rows["TUNER_API_KEY"].source == "file TUNER_API_KEY_FILE"
    assert rows["KAFKA_SASL_PASSWORD"].shown == "********"
    assert settings.credentials[0].api_key_file == tmp_path / "key"


def test_a_secret_file_can_be_named_in_the_toml_file_and_the_environment_goes_before_it(
    tmp_path: Path,
) -> None:
    """The two layers do not conflict; two names in one layer do."""
    (tmp_path / "key").write_text("of-the-file")
    toml = {"tuner": {"api_key_file": str(tmp_path / "key")}}

    from_file = good({"TUNER_API_KEY": ""}, toml)

    assert from_file.tuner.api_key == SecretStr("of-the-file")
    assert {row.name: row.source for row in from_file.rows}[
        "TUNER_API_KEY"
    ] == "file tuner.api_key_file"
    assert good({}, toml).tuner.api_key == SecretStr(SECRET)


def test_a_secret_and_its_file_together_are_refused(tmp_path: Path) -> None:
    """Nobody can know which of the two was meant."""
    (tmp_path / "key").write_text(SECRET)
    problems = bad({"TUNER_API_KEY_FILE": str(tmp_path / "key")})

    assert problems == {
        "TUNER_API_KEY": "is set together with TUNER_API_KEY_FILE; keep one of them"
    }


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "no such file or directory"),
        (b"", "empty"),
        (b"\n", "empty"),
        (b"\xff\xfe", "not text in UTF-8"),
        (b"x" * 70_000, "larger than 65,536 bytes"),
    ],
)
def test_an_unusable_secret_file_is_told_by_setting_and_file(
    tmp_path: Path, content: bytes | None, why: str
) -> None:
    """The setting is what to correct, the file is where to look."""
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)

    problems = bad({"TUNER_API_KEY": "", "TUNER_API_KEY_FILE": str(path)})

    message = f"{path} cannot be used: {why}; name a file that can"
    assert problems == {"TUNER_API_KEY_FILE": message}


def test_a_bad_secret_in_a_file_is_a_problem_of_the_file(tmp_path: Path) -> None:
    """The name in the problem is the one that the user wrote."""
    (tmp_path / "key").write_text(f"Bearer {SECRET}")

    problems = bad({"TUNER_API_KEY": "", "TUNER_API_KEY_FILE": str(tmp_path / "key")})

    assert "must be the key alone" in problems["TUNER_API_KEY_FILE"]


def test_a_secret_put_where_its_file_should_be_named_is_not_shown() -> None:
    """It is the likeliest mistake of all, and the problem may end in a log."""
    for written in (SECRET, f"{SECRET}\0", f"a/{SECRET}"):
        problems = load({"TUNER_API_KEY_FILE": written})
        assert SECRET not in repr(problems)


def test_the_query_of_a_url_is_not_shown() -> None:
    """Many an address carries a key there."""
    changes = {"INGESTOR_RECORDING_URL": f"https://media.example/none?sig={SECRET}"}

    rows = {row.name: row.shown for row in good(changes).rows}

    assert rows["INGESTOR_RECORDING_URL"] == "https://media.example/none?********"
    assert rows["TUNER_BASE_URL"] == "https://api.usetuner.ai"


def test_a_key_can_be_read_again_from_its_file(tmp_path: Path) -> None:
    """A key that was replaced in its file ends a hold without a restart."""
    path = tmp_path / "key"
    path.write_text("old")
    credential = good({"TUNER_API_KEY": "", "TUNER_API_KEY_FILE": str(path)}).credentials[0]

    path.write_text("new\n")
    assert reread(credential) == replace(credential, api_key=SecretStr("new"))

    path.write_text("not a key")
    assert isinstance(reread(credential), Unreadable)
    path.unlink()
    assert reread(credential) == Unreadable("no such file or directory")

    unfiled = good().credentials[0]
    assert reread(unfiled) is unfiled


@hypothesis_settings(deadline=None)
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_settings_never_show_their_secrets(tail: str) -> None:
    """Neither their repr nor the rows of check, whatever the secret is made of."""
    secret = f"{SECRET}{tail}"
    settings = good(
        SASL | {"KAFKA_SASL_USERNAME": "u", "KAFKA_SASL_PASSWORD": secret, "TUNER_API_KEY": secret}
    )

    assert settings.tuner.api_key == SecretStr(secret)
    assert SECRET not in repr(settings)
    assert SECRET not in str(settings.kafka) + str(settings.tuner)
