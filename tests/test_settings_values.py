"""Settings: which texts and TOML values are understood, and which are refused."""

import pytest
from pydantic import SecretStr
from settings_builders import COMPLETE, OAUTH, PASSWORD, SASL, SECRET, bad, good, numbered, value

from ingestor.settings import Problems, load
from ingestor.settings.values import LetterGuard

ACCEPTED = [
    (
        "KAFKA_BOOTSTRAP_SERVERS",
        "a:1, [::1]:2,[::1] ,c_d.e",
        ("a:1", "[::1]:2", "[::1]:9092", "c_d.e:9092"),
    ),
    ("KAFKA_TOPICS", "a,b.c_d-E,", ("a", "b.c_d-E")),
    ("KAFKA_AUTO_OFFSET_RESET", "Latest", "latest"),
    ("KAFKA_GROUP_INSTANCE_ID", "pod-0", "pod-0"),
    ("TUNER_API_KEY", " key\n", SecretStr("key")),
    ("TUNER_WORKSPACE_ID", "9223372036854775807", 2**63 - 1),
    ("TUNER_AGENT_ID", " ein Büro & mehr ", "ein Büro & mehr"),
    ("TUNER_AGENT_ID", "👩\u200d💻", "👩\u200d💻"),
    ("TUNER_AUTH", "BEARER", "bearer"),
    ("TUNER_BASE_URL", "HTTPS://API.Example:443/Pre/fix//", "https://api.example/Pre/fix"),
    ("TUNER_BASE_URL", "https://api.example.:8443", "https://api.example.:8443"),
    ("TUNER_BASE_URL", "http://localhost:8000/", "http://localhost:8000"),
    ("TUNER_BASE_URL", "http://tuner.localhost:80", "http://tuner.localhost"),
    ("TUNER_BASE_URL", "http://127.9.9.9", "http://127.9.9.9"),
    ("TUNER_BASE_URL", "http://[::1]:8000", "http://[::1]:8000"),
    ("TUNER_TIMEOUT_SECONDS", "0.25", 0.25),
    ("TUNER_ALLOW_HTTP", "Yes", True),
    ("TUNER_ALLOW_HTTP", "off", False),
    ("INGESTOR_MAX_CONCURRENCY", "10000", 10_000),
    ("INGESTOR_MAX_RATE", "0.5", 0.5),
    ("INGESTOR_MAX_RATE", "100", 100.0),
    ("INGESTOR_MAX_BUFFER_BYTES", "67108864", 64 * 1024**2),
    ("INGESTOR_MAX_BUFFER_BYTES", "64MiB", 64 * 1024**2),
    ("INGESTOR_MAX_BUFFER_BYTES", "64Mi", 64 * 1024**2),
    ("INGESTOR_MAX_BUFFER_BYTES", "1.5 gib", 3 * 1024**3 // 2),
    ("INGESTOR_MAX_EVENT_BYTES", "8 MB", 8_000_000),
    ("INGESTOR_MAX_EVENT_BYTES", "5000 B", 5_000),
    ("INGESTOR_MAX_EVENT_BYTES", "100k", 100_000),
    ("INGESTOR_LETTER_GUARD", "20/50%", LetterGuard(20, 50)),
    ("INGESTOR_LETTER_GUARD", " 1 / 100 % ", LetterGuard(1, 100)),
    ("INGESTOR_LETTER_GUARD", "OFF", None),
    ("INGESTOR_EVENT_TYPES", "call.*, com.example.ended", ("call.*", "com.example.ended")),
    ("INGESTOR_RECORDING_URL", "x" * 1024, "x" * 1024),
    ("INGESTOR_OPS_HOST", "::", "::"),
    ("INGESTOR_OPS_PORT", "0", 0),
    ("INGESTOR_LOG_LEVEL", "WARNING", "warning"),
]


@pytest.mark.parametrize(("name", "written", "expected"), ACCEPTED, ids=numbered(ACCEPTED))
def test_a_value_is_understood(name: str, written: str, expected: object) -> None:
    """People write one thing in several ways; all of them mean one value."""
    assert value(good({name: written}), name) == expected


TOML_ACCEPTED = [
    ("kafka", "topics", "a, b", ("a", "b")),
    ("kafka", "topics", ["a", "b"], ("a", "b")),
    ("tuner", "timeout_seconds", 3, 3.0),
    ("tuner", "allow_http", True, True),
    ("ingestor", "max_attempts", 5, 5),
    ("ingestor", "max_attempts", "5", 5),
    ("ingestor", "max_event_bytes", 2048, 2048),
    ("ingestor", "event_types", ["call.*"], ("call.*",)),
]


@pytest.mark.parametrize(
    ("section", "key", "written", "expected"), TOML_ACCEPTED, ids=numbered(TOML_ACCEPTED)
)
def test_a_toml_value_is_understood(
    section: str, key: str, written: object, expected: object
) -> None:
    """TOML has types of its own; text is understood as in the environment."""
    settings = good(toml={section: {key: written}})

    assert value(settings, f"{section}_{key}") == expected


REFUSED = [
    ("KAFKA_BOOTSTRAP_SERVERS", "kafka://a:9092"),
    ("KAFKA_BOOTSTRAP_SERVERS", "a:9092,b:0"),
    ("KAFKA_BOOTSTRAP_SERVERS", "a:99999"),
    ("KAFKA_BOOTSTRAP_SERVERS", "::1"),
    ("KAFKA_BOOTSTRAP_SERVERS", "[zz]:1"),
    ("KAFKA_BOOTSTRAP_SERVERS", "[fe80::1%eth0]:1"),
    ("KAFKA_BOOTSTRAP_SERVERS", "a b:1"),
    ("KAFKA_TOPICS", ","),
    ("KAFKA_TOPICS", "a,b,a"),
    ("KAFKA_TOPICS", "a,b/c"),
    ("KAFKA_TOPICS", ".."),
    ("KAFKA_TOPICS", "x" * 250),
    ("KAFKA_GROUP_ID", "a\x07b"),
    ("KAFKA_GROUP_ID", "a\udcffb"),
    ("KAFKA_DEAD_LETTER_TOPIC", "letters!"),
    ("KAFKA_AUTO_OFFSET_RESET", "none"),
    ("KAFKA_GROUP_INSTANCE_ID", "pod 0"),
    ("KAFKA_SECURITY_PROTOCOL", "TLS"),
    ("KAFKA_SASL_MECHANISM", "MD5"),
    ("KAFKA_SASL_OAUTH_TOKEN_URL", "https://id.example/token#x"),
    ("KAFKA_SASL_OAUTH_TOKEN_URL", "id.example/token"),
    ("KAFKA_SASL_PASSWORD", "a\0b"),
    ("KAFKA_SASL_PASSWORD", "a\udcff"),
    ("KAFKA_SSL_CA_FILE", "/nowhere/ca.pem"),
    ("KAFKA_SSL_CA_FILE", "/"),
    ("KAFKA_SSL_CA_FILE", "a\udcff"),
    ("TUNER_API_KEY", "a b"),
    ("TUNER_API_KEY", "Bearer abc"),
    ("TUNER_API_KEY", "abc\r\nX-Other: 1"),
    ("TUNER_API_KEY", "schlüssel"),
    ("TUNER_WORKSPACE_ID", "0"),
    ("TUNER_WORKSPACE_ID", "-7"),
    ("TUNER_WORKSPACE_ID", "7.0"),
    ("TUNER_WORKSPACE_ID", "9223372036854775808"),
    ("TUNER_WORKSPACE_ID", "9" * 5000),
    ("TUNER_BASE_URL", "tuner.example"),
    ("TUNER_BASE_URL", "ftp://api.usetuner.ai"),
    ("TUNER_BASE_URL", "https:///calls"),
    ("TUNER_BASE_URL", "https://me:pw@api.usetuner.ai"),
    ("TUNER_BASE_URL", "https://api.usetuner.ai?x=1"),
    ("TUNER_BASE_URL", "https://api.usetuner.ai/#"),
    ("TUNER_BASE_URL", "https://api.usetuner.ai:0"),
    ("TUNER_BASE_URL", "https://api.usetuner.ai:99999"),
    ("TUNER_BASE_URL", "https://[::1"),
    ("TUNER_BASE_URL", "https://[::g]"),
    ("TUNER_BASE_URL", "https://büro.example"),
    ("TUNER_BASE_URL", "https://a b.example"),
    ("TUNER_BASE_URL", "https:\\\\api.usetuner.ai"),
    ("TUNER_BASE_URL", "https://-x-"),
    ("TUNER_BASE_URL", "https://api.usetuner.ai/api/v1/public/call/"),
    ("TUNER_BASE_URL", "http://api.usetuner.ai"),
    ("TUNER_BASE_URL", "http://127.0.0.1.example"),
    ("TUNER_BASE_URL", "http://localhost.example"),
    ("TUNER_AUTH", "basic"),
    ("TUNER_TIMEOUT_SECONDS", "0"),
    ("TUNER_TIMEOUT_SECONDS", "-1"),
    ("TUNER_TIMEOUT_SECONDS", "nan"),
    ("TUNER_TIMEOUT_SECONDS", "inf"),
    ("TUNER_TIMEOUT_SECONDS", "15s"),
    ("TUNER_TIMEOUT_SECONDS", "301"),
    ("TUNER_ALLOW_HTTP", "maybe"),
    ("INGESTOR_MAX_CONCURRENCY", "0"),
    ("INGESTOR_MAX_CONCURRENCY", "10001"),
    ("INGESTOR_MAX_CONCURRENCY", "1_000"),
    ("INGESTOR_MAX_ATTEMPTS", "1001"),
    ("INGESTOR_MAX_RATE", "0"),
    ("INGESTOR_MAX_RATE", "0.0009"),
    ("INGESTOR_MAX_RATE", "1000001"),
    ("INGESTOR_MAX_RATE", "nan"),
    ("INGESTOR_MAX_RATE", "10/s"),
    ("INGESTOR_MAX_BUFFER_BYTES", "64 MiBs"),
    ("INGESTOR_MAX_BUFFER_BYTES", "lots"),
    ("INGESTOR_MAX_BUFFER_BYTES", "8388608.5"),
    ("INGESTOR_MAX_BUFFER_BYTES", "65GiB"),
    ("INGESTOR_MAX_EVENT_BYTES", "1023"),
    ("INGESTOR_LETTER_GUARD", "0/70%"),
    ("INGESTOR_LETTER_GUARD", "20/0%"),
    ("INGESTOR_LETTER_GUARD", "20/101%"),
    ("INGESTOR_LETTER_GUARD", "20/75"),
    ("INGESTOR_LETTER_GUARD", "never"),
    ("INGESTOR_RECORDING_URL", "x" * 1025),
    ("INGESTOR_OPS_HOST", "http://0.0.0.0"),
    ("INGESTOR_OPS_PORT", "65536"),
    ("INGESTOR_LOG_LEVEL", "trace"),
    ("INGESTOR_ROUTES_FILE", "/nowhere/routes.toml"),
]

# So that the bad value is the only problem there is.
SURROUNDINGS = {
    "KAFKA_SASL_PASSWORD": SASL | PASSWORD,
    "KAFKA_SASL_MECHANISM": {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"},
    "KAFKA_SSL_CA_FILE": {"KAFKA_SECURITY_PROTOCOL": "SSL"},
    "KAFKA_SASL_OAUTH_TOKEN_URL": SASL | OAUTH | {"KAFKA_SASL_MECHANISM": "OAUTHBEARER"},
}


@pytest.mark.parametrize(("name", "written"), REFUSED, ids=numbered(REFUSED))
def test_an_unusable_value_is_refused_under_its_name_and_never_quoted(
    name: str, written: str
) -> None:
    """Any value may be a secret that was put into the wrong place."""
    problems = bad(SURROUNDINGS.get(name, {}) | {name: written})

    assert list(problems) == [name]
    assert len(written) < 3 or written not in problems[name]
    assert "must" in problems[name]


TOML_REFUSED = [
    ("kafka", "topics", []),
    ("kafka", "topics", ["a", 5]),
    ("kafka", "topics", 5),
    ("kafka", "group_id", 5),
    ("kafka", "sasl_password", 5),
    ("tuner", "api_key", 5),
    ("tuner", "api_key_file", 5),
    ("tuner", "workspace_id", True),
    ("tuner", "workspace_id", 7.0),
    ("tuner", "timeout_seconds", True),
    ("tuner", "timeout_seconds", 10**400),
    ("tuner", "allow_http", 1),
    ("tuner", "auth", 1),
    ("ingestor", "max_buffer_bytes", True),
    ("ingestor", "max_buffer_bytes", 1.5),
    ("ingestor", "letter_guard", 20),
    ("ingestor", "routes_file", 1),
]


@pytest.mark.parametrize(("section", "key", "written"), TOML_REFUSED, ids=numbered(TOML_REFUSED))
def test_a_toml_value_of_the_wrong_kind_is_refused(section: str, key: str, written: object) -> None:
    """True is no number and a number is no text; the problem has the name that stands there."""
    environ = {name: value for name, value in COMPLETE.items() if name != "TUNER_WORKSPACE_ID"}
    environ.pop("TUNER_API_KEY")
    rest = {
        "tuner": {"workspace_id": 7, "api_key": SECRET}
        | ({"api_key": ""} if key == "api_key_file" else {})
    }
    toml = rest | {section: rest.get(section, {}) | {key: written}}

    problems = load(environ, toml)

    assert isinstance(problems, Problems)
    assert [problem.name for problem in problems.problems] == [f"{section}.{key}"]
