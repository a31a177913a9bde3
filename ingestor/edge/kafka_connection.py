"""How to reach Kafka: addresses, TLS and SASL, as aiokafka takes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ingestor.edge.kafka_wire import install
from ingestor.edge.oauth import OAuthClient, TokenProvider
from ingestor.edge.tls import Tls


@dataclass(frozen=True, slots=True)
class Connection:
    """Where the brokers are and how to log in; *security_protocol* and *sasl_mechanism* in Kafka's
    own words.
    """

    bootstrap_servers: str
    client_id: str
    security_protocol: str = "PLAINTEXT"
    tls: Tls = field(default_factory=Tls)
    sasl_mechanism: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    oauth: OAuthClient | None = None

    def options(self) -> Mapping[str, Any]:
        """Write it as the keyword arguments that aiokafka's clients share."""
        install()  # every client asks here first
        options: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap_servers,
            "client_id": self.client_id,
            "security_protocol": self.security_protocol,
        }
        if self.security_protocol in ("SSL", "SASL_SSL"):
            options["ssl_context"] = self.tls.context()
        if self.sasl_mechanism is not None:
            options["sasl_mechanism"] = self.sasl_mechanism
            options["sasl_plain_username"] = self.username
            options["sasl_plain_password"] = self.password
        if self.oauth is not None:
            options["sasl_oauth_token_provider"] = TokenProvider(self.oauth)
        return options
