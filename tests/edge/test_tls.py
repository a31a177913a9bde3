"""Both sides of a TLS connection say who they are."""

import ssl
from pathlib import Path

import pytest
from edge.certificates import Authority

from ingestor.edge.tls import Tls

PASSWORD = "open sesame"  # noqa: S105 - of a key made for this test


def test_the_other_side_and_its_name_are_verified(authority: Authority) -> None:
    """With our own authority as with the system's."""
    for tls in (Tls(), Tls(authority.ca)):
        context = tls.context()

        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname


def test_our_own_authority_is_the_only_one(authority: Authority) -> None:
    """Whoever names one wants no other."""
    (trusted,) = Tls(authority.ca).context().get_ca_certs()

    assert trusted["subject"] == ((("commonName", "authority"),),)


def test_a_key_may_be_under_a_password(authority: Authority) -> None:
    """Without it, or with a wrong one, it is an error: nobody sits at a terminal to be asked."""
    own = authority.sign("locked", password=PASSWORD)
    cert, key = str(own.cert), str(own.key)

    Tls(authority.ca, cert, key, PASSWORD).context()

    for password in (None, "wrong"):
        with pytest.raises(ssl.SSLError):
            Tls(authority.ca, cert, key, password).context()


def test_certificate_and_key_may_be_one_file(authority: Authority, tmp_path: Path) -> None:
    """Some tools write them so."""
    own = authority.sign("joined")
    joined = tmp_path / "joined.pem"
    joined.write_bytes(own.key.read_bytes() + own.cert.read_bytes())

    Tls(authority.ca, str(joined)).context()


def test_a_missing_file_is_an_error_of_the_system(tmp_path: Path) -> None:
    """Like any other file that is not there."""
    with pytest.raises(FileNotFoundError):
        Tls(str(tmp_path / "no.pem")).context()


def test_the_password_is_not_shown() -> None:
    """Somebody may print what holds it."""
    assert PASSWORD not in repr(Tls(key_password=PASSWORD))
