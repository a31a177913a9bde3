"""Hands each part its own values: nothing below this room knows the settings."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from ingestor import __version__
from ingestor.core.backoff import Backoff
from ingestor.core.decoder import Decoder, OldTranscripts, Reading
from ingestor.core.doors.cloudevents import EventTypes
from ingestor.core.guard import Limits
from ingestor.core.route import Destination
from ingestor.core.routing import Router, Rule
from ingestor.core.starts import Reset
from ingestor.edge.credentials import Credential, NotRead
from ingestor.edge.kafka_connection import Connection
from ingestor.edge.kafka_consumer import Subscription
from ingestor.edge.oauth import OAuthClient
from ingestor.edge.requests import Wire
from ingestor.edge.tls import Tls
from ingestor.edge.tuners import choose
from ingestor.flow.delivery import Patience
from ingestor.flow.room import Bounds
from ingestor.settings import Credential as CredentialSettings
from ingestor.settings import Route as RouteSettings
from ingestor.settings import Settings, Unreadable, reread

# The credential that the settings themselves give.
DEFAULT = "default"
# The group waits for our drain, and for what comes after it.
REBALANCE_MARGIN_SECONDS = 10.0
# How long the group waits for a word of us. A member with a stable name comes back to its place:
# it is given the time that a pod takes to be started anew.
SESSION_SECONDS, STATIC_SESSION_SECONDS = 10.0, 45.0
# From the moment when a post begins to the one when it has arrived, on a busy machine.
LEASE_MARGIN_SECONDS = 1.0
# A call that failed keeps its place while it waits for its next attempt: with a fifth failing, and
# waits of 0.4 s in the mean, a thousand places do for 10,000 calls a second (measured).
LEAST_ROOM = 2_000
# What the Kafka client reads ahead is a part of the bytes that may be held. An answer of a broker
# is in memory several times for a moment: one of 2 MB takes 15 MB less than one of 8, and is no
# slower to work off (measured).
ROOM_PART, FETCH_PART, PARTITION_PART = 0.75, 32, 128
ROOM_PER_SLOT = 8


def decoder(settings: Settings) -> Decoder:
    """Build what reads events."""
    given = settings.ingestor
    return Decoder(
        Reading(
            max_bytes=given.max_event_bytes,
            event_types=EventTypes(given.event_types),
            recording_url=given.recording_url,
            old_transcripts=OldTranscripts(given.old_transcripts),
        )
    )


def router(settings: Settings) -> Router:
    """Build what finds routes."""
    destinations = {
        credential.name: Destination(credential.base_url, credential.name)
        for credential in settings.credentials
    }
    workspace = settings.tuner.workspace_id
    return Router(
        destinations.get(DEFAULT),
        workspace=None if workspace is None else str(workspace),
        agent=settings.tuner.agent_id,
        rules=[_rule(route, destinations) for route in settings.routes],
    )


def credentials(settings: Settings) -> Mapping[str, Credential]:
    """Name the keys."""
    return {
        credential.name: Credential(
            credential.api_key.get_secret_value(),
            credential.auth,
            partial(_key, credential) if credential.api_key_file else None,
        )
        for credential in settings.credentials
    }


def headers(settings: Settings) -> Mapping[str, Mapping[str, str]]:
    """Write the headers that carry each key."""
    return {name: credential.headers() for name, credential in credentials(settings).items()}


def wire(settings: Settings) -> Wire:
    """Say how requests are sent."""
    given = settings.tuner
    tls = Tls(_path(given.ca_file), _path(given.cert_file), _path(given.key_file))
    wire = Wire(given.timeout_seconds, tls, f"ingestor/{__version__}")
    urls = [credential.base_url for credential in settings.credentials]
    return replace(wire, kind=choose(given.wire, urls, wire.proxies))


def patience(settings: Settings) -> Patience:
    """Say how failing calls are treated."""
    given = settings.ingestor
    return Patience(
        given.max_attempts, Backoff(given.backoff_base_seconds, given.backoff_max_seconds)
    )


def letter_limits(settings: Settings) -> Limits | None:
    """Say how many letters are too many; None when there may be any number."""
    given = settings.ingestor.letter_guard
    return None if given is None else Limits(given.letters, given.percent / 100)


def bounds(settings: Settings) -> Bounds:
    """Say how large the waiting room is."""
    given = settings.ingestor
    return Bounds(
        max(LEAST_ROOM, ROOM_PER_SLOT * given.max_concurrency),
        int(given.max_buffer_bytes * ROOM_PART),
    )


def subscription(settings: Settings) -> Subscription:
    """Say what is read, and as whom."""
    given = settings.kafka
    return Subscription(
        topics=given.topics,
        group_id=given.group_id,
        reset=Reset(given.auto_offset_reset),
        group_instance_id=given.group_instance_id,
        session_seconds=STATIC_SESSION_SECONDS if given.group_instance_id else SESSION_SECONDS,
        rebalance_seconds=settings.ingestor.drain_seconds + REBALANCE_MARGIN_SECONDS,
        fetch_bytes=settings.ingestor.max_buffer_bytes // FETCH_PART,
        partition_fetch_bytes=settings.ingestor.max_buffer_bytes // PARTITION_PART,
    )


def lease_seconds(settings: Settings) -> float:
    """Say for how long an acknowledgement by the group is good."""
    return subscription(settings).session_seconds - LEASE_MARGIN_SECONDS


def connection(settings: Settings) -> Connection:
    """Say how Kafka is reached."""
    given = settings.kafka
    ca = _path(given.ssl_ca_file)
    return Connection(
        bootstrap_servers=",".join(given.bootstrap_servers),
        client_id=given.client_id,
        security_protocol=given.security_protocol,
        tls=Tls(
            ca,
            _path(given.ssl_cert_file),
            _path(given.ssl_key_file),
            _secret(given.ssl_key_password),
        ),
        sasl_mechanism=given.sasl_mechanism,
        username=given.sasl_username,
        password=_secret(given.sasl_password),
        oauth=_oauth(settings, ca),
    )


def _oauth(settings: Settings, ca: str | None) -> OAuthClient | None:
    given = settings.kafka
    url, client_id, secret = (
        given.sasl_oauth_token_url,
        given.sasl_oauth_client_id,
        _secret(given.sasl_oauth_client_secret),
    )
    if url is None or client_id is None or secret is None:
        return None
    return OAuthClient(url, client_id, secret, given.sasl_oauth_scope, ca)


def _rule(route: RouteSettings, destinations: Mapping[str, Destination]) -> Rule:
    return Rule(
        topic=route.topic,
        field=route.field,
        values=route.values,
        workspace=None if route.workspace_id is None else str(route.workspace_id),
        agent=route.agent_id,
        destination=destinations.get(route.credential),
    )


def _key(credential: CredentialSettings) -> str | NotRead:
    found = reread(credential)
    return NotRead(found.why) if isinstance(found, Unreadable) else found.api_key.get_secret_value()


def _path(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _secret(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
