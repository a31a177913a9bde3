"""Whom to trust, and who we are, over TLS."""

import ssl
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM form; without a *ca* the system's are trusted."""

    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    key_password: str | None = field(default=None, repr=False)

    def context(self) -> ssl.SSLContext:
        """Build a context that verifies the other side and its name."""
        context = ssl.create_default_context(cafile=self.ca)
        if self.cert is not None:
            # Never None: OpenSSL would ask the terminal.
            context.load_cert_chain(self.cert, self.key, self.key_password or "")
        return context
