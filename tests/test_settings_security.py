"""Settings: SASL and TLS, complete and fitting or refused."""

import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest
from settings_builders import COMPLETE, OAUTH, PASSWORD, SASL, SECRET, bad, good, warned

from ingestor.settings import Problems, Settings, load


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two self-signed certificates and their keys, one key also with a password."""
    folder = tmp_path_factory.mktemp("pki")
    openssl = shutil.which("openssl")
    assert openssl, "these tests make their certificates with openssl"
    new = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -days 2"
    for command in (
        f"{new} -keyout one.key -out one.pem",
        f"{new} -keyout other.key -out other.pem",
        f"pkey -in one.key -aes128 -passout pass:{SECRET} -out locked.key",
    ):
        # openssl and its arguments are ours alone.
        subprocess.run([openssl, *command.split()], cwd=folder, check=True, capture_output=True)  # noqa: S603
    return folder


SECURE = [
    {"KAFKA_SECURITY_PROTOCOL": "ssl"},
    SASL | PASSWORD,
    SASL | PASSWORD | {"KAFKA_SASL_MECHANISM": "scram-sha-256"},
    SASL | PASSWORD | {"KAFKA_SASL_MECHANISM": "SCRAM-SHA-512"},
    SASL | OAUTH | {"KAFKA_SASL_MECHANISM": "OAUTHBEARER"},
    SASL | OAUTH | {"KAFKA_SASL_MECHANISM": "OAUTHBEARER", "KAFKA_SASL_OAUTH_SCOPE": "kafka"},
]


@pytest.mark.parametrize("changes", SECURE)
def test_a_complete_way_to_log_in_is_accepted(changes: dict[str, str]) -> None:
    """Each mechanism with what it needs, and nothing else."""
    assert good(changes).warnings == ()


INSECURE = [
    ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, ["KAFKA_SASL_MECHANISM"]),
    (SASL, ["KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"]),
    (SASL | {"KAFKA_SASL_MECHANISM": "OAUTHBEARER"}, list(OAUTH)),
    (PASSWORD, list(PASSWORD)),
    (SASL | PASSWORD | OAUTH, list(OAUTH)),
    (SASL | {"KAFKA_SASL_MECHANISM": "GSSAPI"}, ["KAFKA_SASL_MECHANISM"]),
    ({"KAFKA_SECURITY_PROTOCOL": "x"} | PASSWORD, ["KAFKA_SECURITY_PROTOCOL"]),
    ({"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_KEY_PASSWORD": "x"}, ["KAFKA_SSL_KEY_PASSWORD"]),
]


@pytest.mark.parametrize(("changes", "names"), INSECURE)
def test_a_way_to_log_in_that_cannot_work_is_refused(
    changes: dict[str, str], names: list[str]
) -> None:
    """What is missing, and what would have no effect, is told here and not by a silent broker."""
    problems = load(COMPLETE | changes, is_installed=lambda _: False)

    assert isinstance(problems, Problems)
    assert [problem.name for problem in problems.problems] == names


def test_gssapi_needs_its_library() -> None:
    """It needs a compiler to install, so it is an extra of its own."""
    changes = SASL | {"KAFKA_SASL_MECHANISM": "GSSAPI"}

    assert isinstance(load(COMPLETE | changes, is_installed=lambda _: True), Settings)
    assert isinstance(load(COMPLETE | changes), Settings) is bool(find_spec("gssapi"))


def test_secrets_that_would_travel_unencrypted_warn() -> None:
    """Inside a mesh it may be right; elsewhere somebody should know."""
    plain = {"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "KAFKA_SASL_MECHANISM": "PLAIN"}
    token = SASL | OAUTH | {"KAFKA_SASL_MECHANISM": "OAUTHBEARER"}
    token |= {"KAFKA_SASL_OAUTH_TOKEN_URL": "http://keycloak:8080/token?x=1"}

    assert list(warned(good(plain | PASSWORD))) == ["KAFKA_SECURITY_PROTOCOL"]
    assert list(warned(good(token))) == ["KAFKA_SASL_OAUTH_TOKEN_URL"]
    assert str(good(token).kafka.sasl_oauth_token_url).endswith("/token?x=1")


def client(folder: Path, cert: str, key: str, **more: str) -> dict[str, str]:
    files = {"KAFKA_SSL_CERT_FILE": str(folder / cert), "KAFKA_SSL_KEY_FILE": str(folder / key)}
    return {"KAFKA_SECURITY_PROTOCOL": "SSL"} | files | more


def test_certificates_and_keys_that_fit_are_accepted(pki: Path) -> None:
    """With or without a password, for the brokers and for Tuner."""
    locked = client(pki, "one.pem", "locked.key", KAFKA_SSL_KEY_PASSWORD=SECRET)
    tuner = {"TUNER_CERT_FILE": str(pki / "one.pem"), "TUNER_KEY_FILE": str(pki / "one.key")}
    authorities = {
        "KAFKA_SSL_CA_FILE": str(pki / "one.pem"),
        "TUNER_CA_FILE": str(pki / "other.pem"),
    }

    assert good(client(pki, "one.pem", "one.key")).kafka.ssl_cert_file == pki / "one.pem"
    assert good(locked | tuner | authorities).tuner.ca_file == pki / "other.pem"


def test_certificates_and_keys_that_do_not_fit_are_refused(pki: Path) -> None:
    """Found here, it is a line on the screen; found later, it is a handshake that fails."""
    for changes in (
        client(pki, "one.pem", "other.key"),
        client(pki, "one.key", "one.key"),
        client(pki, "one.pem", "locked.key"),
        client(pki, "one.pem", "locked.key", KAFKA_SSL_KEY_PASSWORD=SECRET[1:]),
        client(pki, "one.pem", "locked.key", KAFKA_SSL_KEY_PASSWORD="x" * 2000),
    ):
        assert list(bad(changes)) == ["KAFKA_SSL_CERT_FILE"]
    key_as_authority = {"TUNER_CA_FILE": str(pki / "one.key")}
    assert list(bad(key_as_authority)) == ["TUNER_CA_FILE"]


def test_a_certificate_that_cannot_be_read_is_one_problem(pki: Path) -> None:
    """Whether its key fits is then nobody's question."""
    assert list(bad(client(pki, "nothing.pem", "one.key"))) == ["KAFKA_SSL_CERT_FILE"]


def test_a_certificate_and_its_key_go_together(pki: Path) -> None:
    """One without the other is a handshake without a name."""
    assert list(bad({"TUNER_CERT_FILE": str(pki / "one.pem")})) == ["TUNER_KEY_FILE"]
    assert list(bad({"TUNER_KEY_FILE": str(pki / "one.key")})) == ["TUNER_CERT_FILE"]


def test_tls_files_without_tls_are_refused(pki: Path) -> None:
    """They look like protection and are none."""
    changes = client(pki, "one.pem", "one.key") | {"KAFKA_SECURITY_PROTOCOL": "PLAINTEXT"}

    assert list(bad(changes)) == ["KAFKA_SSL_CERT_FILE", "KAFKA_SSL_KEY_FILE"]
