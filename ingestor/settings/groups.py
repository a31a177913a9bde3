"""Lists every setting: name, type, bounds, default and description, in the order they are shown."""

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, Field, SecretStr, ValidationError

from ingestor.settings.addresses import base_url, brokers, host, kafka_name, token_url, topics
from ingestor.settings.files import readable_file
from ingestor.settings.values import (
    LARGEST_ID,
    LetterGuard,
    api_key,
    choice,
    flag,
    guard_limits,
    listed,
    rate,
    seconds,
    secret,
    short_text,
    size,
    text,
    whole,
)

KiB, MiB, GiB = 1024, 1024**2, 1024**3

Text = Annotated[str, BeforeValidator(text)]
KafkaName = Annotated[str, BeforeValidator(kafka_name)]
Topics = Annotated[tuple[str, ...], BeforeValidator(topics)]
Brokers = Annotated[tuple[str, ...], BeforeValidator(brokers)]
Secret = Annotated[SecretStr, BeforeValidator(secret)]
File = Annotated[Path, BeforeValidator(readable_file)]
WorkspaceId = Annotated[int, BeforeValidator(whole(1, LARGEST_ID))]
BaseUrl = Annotated[str, BeforeValidator(base_url)]
ApiKey = Annotated[SecretStr, BeforeValidator(api_key)]
AuthHeaders = Literal["both", "x-api-key", "bearer"]
SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "GSSAPI"]
WireKind = Literal["auto", "lean", "aiohttp"]
OffsetReset = Literal["earliest", "latest"]
OldTranscripts = Literal["pass", "estimate", "refuse"]
LogLevel = Literal["debug", "info", "warning", "error", "critical"]
LogFormat = Literal["auto", "json", "console"]

Auth = Annotated[AuthHeaders, BeforeValidator(choice(*get_args(AuthHeaders)))]
Mechanism = Annotated[SaslMechanism, BeforeValidator(choice(*get_args(SaslMechanism)))]


class Group(BaseModel, frozen=True, extra="forbid", hide_input_in_errors=True):
    """A section of the settings; what must be set is decided in `rules`, so all have defaults."""


class Kafka(Group):
    """Where the events come from, and where dead letters go."""

    bootstrap_servers: Brokers = Field(
        default=(),
        description="Brokers to ask first: host:port, separated by commas (port 9092 if none)",
    )
    topics: Topics = Field(
        default=("call-ended",), description="Topics to read, separated by commas"
    )
    group_id: Text = Field(
        default="tuner-ingestor", description="Consumer group that shares the partitions"
    )
    client_id: Text = Field(
        default="tuner-ingestor", description="Name of this client in the brokers' logs and quotas"
    )
    dead_letter_topic: KafkaName = Field(
        default="tuner-ingestor.dead-letters", description="Topic for events that cannot be posted"
    )
    auto_offset_reset: Annotated[OffsetReset, BeforeValidator(choice(*get_args(OffsetReset)))] = (
        Field(
            default="earliest",
            description="Where a new group starts to read: `earliest` or `latest`",
        )
    )
    group_instance_id: KafkaName | None = Field(
        default=None,
        description="Stable name of this member (static membership); unique in the group",
    )
    security_protocol: Annotated[
        SecurityProtocol,
        BeforeValidator(choice(*get_args(SecurityProtocol))),
    ] = Field(
        default="PLAINTEXT",
        description="`PLAINTEXT`, `SSL`, `SASL_PLAINTEXT` or `SASL_SSL`",
    )
    sasl_mechanism: Mechanism | None = Field(
        default=None,
        description="`PLAIN`, `SCRAM-SHA-256`, `SCRAM-SHA-512`, `OAUTHBEARER` or `GSSAPI`",
    )
    sasl_username: Text | None = Field(default=None, description="User for PLAIN and SCRAM")
    sasl_password: Secret | None = Field(default=None, description="Password for PLAIN and SCRAM")
    sasl_oauth_token_url: Annotated[str, BeforeValidator(token_url)] | None = Field(
        default=None, description="Where OAUTHBEARER gets its tokens (client credentials grant)"
    )
    sasl_oauth_client_id: Text | None = Field(
        default=None, description="Client id for the token endpoint"
    )
    sasl_oauth_client_secret: Secret | None = Field(
        default=None, description="Client secret for the token endpoint"
    )
    sasl_oauth_scope: Text | None = Field(
        default=None, description="Scope to ask for at the token endpoint"
    )
    ssl_ca_file: File | None = Field(
        default=None, description="PEM file of the brokers' authorities (the system's if none)"
    )
    ssl_cert_file: File | None = Field(
        default=None, description="PEM file of this client's certificate"
    )
    ssl_key_file: File | None = Field(
        default=None, description="PEM file of this client's private key"
    )
    ssl_key_password: Secret | None = Field(
        default=None, description="Password of this client's private key"
    )


class Tuner(Group):
    """Where the calls go."""

    api_key: ApiKey | None = Field(
        default=None, description="API key (with a routes file, credentials there can replace it)"
    )
    workspace_id: WorkspaceId | None = Field(
        default=None, description="Workspace of calls that name none (optional with a routes file)"
    )
    agent_id: Text | None = Field(
        default=None, description="Agent of calls that name none (optional with a routes file)"
    )
    base_url: BaseUrl = Field(
        default="https://api.usetuner.ai", description="Tuner's address; a path prefix is kept"
    )
    auth: Auth = Field(
        default="both", description="Headers that carry the key: `both`, `x-api-key` or `bearer`"
    )
    timeout_seconds: Annotated[float, BeforeValidator(seconds(300))] = Field(
        default=15.0, description="Longest wait for one answer, in seconds"
    )
    ca_file: File | None = Field(
        default=None, description="PEM file of Tuner's authorities (the system's if none)"
    )
    cert_file: File | None = Field(
        default=None, description="PEM file of a client certificate for Tuner or a proxy before it"
    )
    key_file: File | None = Field(
        default=None, description="PEM file of that certificate's private key, without a password"
    )
    allow_http: Annotated[bool, BeforeValidator(flag)] = Field(
        default=False, description="Allow plain http to hosts other than this machine"
    )
    wire: Annotated[WireKind, BeforeValidator(choice(*get_args(WireKind)))] = Field(
        default="auto",
        description="HTTP client: `lean`, `aiohttp`, or `auto`: aiohttp behind a proxy, else lean",
    )


class Ingestor(Group):
    """How much is done at once, how failures are met, and how the service shows itself."""

    max_concurrency: Annotated[int, BeforeValidator(whole(1, 10_000))] = Field(
        default=64,
        description="Requests in flight at most; fewer while Tuner queues or pushes back",
    )
    max_attempts: Annotated[int, BeforeValidator(whole(1, 1_000))] = Field(
        default=8, description="Attempts for one call while others succeed"
    )
    max_rate: Annotated[float, BeforeValidator(rate(0.001, 1_000_000))] | None = Field(
        default=None, description="Requests a second to each destination at most"
    )
    max_buffer_bytes: Annotated[int, BeforeValidator(size(KiB, 64 * GiB))] = Field(
        default=64 * MiB, description="Events held in memory at most, in bytes"
    )
    max_event_bytes: Annotated[int, BeforeValidator(size(KiB, GiB))] = Field(
        default=8 * MiB, description="Largest event to post, in bytes; a larger one is a letter"
    )
    drain_seconds: Annotated[float, BeforeValidator(seconds(3_600))] = Field(
        default=20.0,
        description="Longest wait for requests in flight when stopping, in seconds (of a pod's 30)",
    )
    backoff_base_seconds: Annotated[float, BeforeValidator(seconds(3_600))] = Field(
        default=0.5, description="Longest wait before the first retry, in seconds; then doubled"
    )
    backoff_max_seconds: Annotated[float, BeforeValidator(seconds(86_400))] = Field(
        default=60.0, description="Longest wait before any retry, in seconds"
    )
    letter_guard: Annotated[LetterGuard | None, BeforeValidator(guard_limits)] = Field(
        default=LetterGuard(20, 50),
        description="Letters that are too many: so many in a row, or within a minute and at least "
        "that share of what ended; or `off`",
    )
    event_types: Annotated[tuple[str, ...], BeforeValidator(listed)] = Field(
        default=(),
        description="CloudEvents types to post: patterns with * and ?, by commas (all if none)",
    )
    recording_url: Annotated[str, BeforeValidator(short_text(1024))] | None = Field(
        default=None, description="Placeholder for calls without a recording URL"
    )
    old_transcripts: Annotated[
        OldTranscripts, BeforeValidator(choice(*get_args(OldTranscripts)))
    ] = Field(
        default="pass",
        description="Transcripts without timing: `pass` as they are, `estimate` it, or `refuse`",
    )
    routes_file: File | None = Field(
        default=None, description="TOML file of routes and credentials for more than one customer"
    )
    ops_host: Annotated[str, BeforeValidator(host)] = Field(
        default="0.0.0.0",  # noqa: S104 - probes and Prometheus come from other machines
        description="Address to serve health and metrics on",
    )
    ops_port: Annotated[int, BeforeValidator(whole(0, 65_535))] = Field(
        default=8080, description="Port to serve them on; 0 for any free one"
    )
    log_level: Annotated[
        LogLevel,
        BeforeValidator(choice(*get_args(LogLevel))),
    ] = Field(
        default="info", description="`debug`, `info`, `warning`, `error` or `critical` and above"
    )
    log_format: Annotated[LogFormat, BeforeValidator(choice(*get_args(LogFormat)))] = Field(
        default="auto", description="`json`, `console`, or `auto`: console on a terminal, else json"
    )


AnyModel = TypeVar("AnyModel", bound=BaseModel)


def fill(model: type[AnyModel], given: dict[str, Any]) -> tuple[AnyModel, dict[str, str]]:
    """Return *model* filled with what is sound of *given*, and by key which rule the rest breaks.

    A model in which bad values are left at their defaults lets the rules that concern several
    settings be checked all the same, so that a second start does not bring up new problems.
    """
    faults: dict[str, str] = {}
    while True:
        sound = {key: value for key, value in given.items() if key not in faults}
        try:
            return model.model_validate(sound), faults
        except ValidationError as error:
            faults |= {
                str(fault["loc"][0]): fault["msg"] for fault in error.errors(include_input=False)
            }
