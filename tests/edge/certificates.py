"""Certificates made on the spot with the openssl program: none is kept that could run out."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path
from shutil import which

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
# Python 3.13 trusts no certificate that does not say whose key has signed it (RFC 5280, 4.2.1.1).
_BY_THE_BOOK = "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
LOOPBACK = "IP:127.0.0.1,DNS:localhost"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its key, in PEM files."""

    cert: Path
    key: Path


class Authority:
    """A certificate authority with its files in *folder*."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self.own = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
        files = ("-keyout", str(self.own.key), "-out", str(self.own.cert))
        subject = ("-subj", f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        _openssl("req", "-x509", *_KEY, "-nodes", "-days", "2", *subject, *files)

    @property
    def ca(self) -> str:
        """The file that says whom to trust."""
        return str(self.own.cert)

    def sign(
        self, name: str, *, names: str = LOOPBACK, days: int = 2, password: str | None = None
    ) -> Certificate:
        """Make a certificate for *names*, its key under a *password* if there is one; for 0 *days*
        it is over as it begins.
        """
        made = Certificate(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        request = self._folder / f"{name}.csr"
        secrecy = ("-nodes",) if password is None else ("-passout", f"pass:{password}")
        subject = ("-subj", f"/CN={name}", "-addext", f"subjectAltName={names}")
        files = ("-keyout", str(made.key), "-out", str(request))
        _openssl("req", "-new", *_KEY, *secrecy, *subject, *files)
        signer = ("-CA", self.ca, "-CAkey", str(self.own.key), "-copy_extensions", "copy")
        extensions = self._folder / f"{name}.ext"
        extensions.write_text(_BY_THE_BOOK)
        form = ("-extfile", str(extensions), "-days", str(days))
        files = ("-in", str(request), "-out", str(made.cert))
        _openssl("x509", "-req", *signer, *form, *files)
        return made


def server_context(certificate: Certificate, *, clients: str | None = None) -> ssl.SSLContext:
    """Build what a server needs; with *clients* it demands certificates of that authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.cert, certificate.key)
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients)
    return context


def _openssl(*arguments: str) -> None:
    openssl = which("openssl")
    assert openssl is not None, "these tests make their certificates with the openssl program"
    done = subprocess.run(  # noqa: S603 - arguments of our own
        [openssl, *arguments], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
