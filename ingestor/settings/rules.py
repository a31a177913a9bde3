"""Decides whether settings that are sound one by one fit together."""

from collections.abc import Iterator

from ingestor.settings.addresses import is_plain
from ingestor.settings.catalogue import BY_NAME, REQUIRED, REQUIRED_WITHOUT_ROUTES
from ingestor.settings.draft import Draft
from ingestor.settings.problems import Problem

PLAIN_HTTP = "must be https, unless the host is this machine or TUNER_ALLOW_HTTP is true"
_AT_LEAST = (
    ("INGESTOR_MAX_BUFFER_BYTES", "INGESTOR_MAX_EVENT_BYTES"),
    ("INGESTOR_BACKOFF_MAX_SECONDS", "INGESTOR_BACKOFF_BASE_SECONDS"),
)


def broken_rules(draft: Draft) -> Iterator[Problem]:
    """Yield what does not fit together; what is faulty by itself is left out."""
    for rule in (_missing, _topics, _limits, _plain_http):
        yield from rule(draft)


def oddities(draft: Draft) -> Iterator[Problem]:
    """Yield what is allowed but hardly meant."""
    if draft.ingestor.drain_seconds < draft.tuner.timeout_seconds:
        drain = draft.written_name("INGESTOR_DRAIN_SECONDS")
        message = f"is longer than {drain}: stopping can cut off requests that would succeed"
        yield draft.problem("TUNER_TIMEOUT_SECONDS", message)
    url = draft.kafka.sasl_oauth_token_url
    if url and is_plain(url):
        message = "is plain http: the client secret travels unencrypted"
        yield draft.problem("KAFKA_SASL_OAUTH_TOKEN_URL", message)
    has_secret = draft.kafka.sasl_mechanism in {"PLAIN", "OAUTHBEARER"}
    if has_secret and draft.kafka.security_protocol == "SASL_PLAINTEXT":
        message = "is without TLS: the password or token travels unencrypted"
        yield draft.problem("KAFKA_SECURITY_PROTOCOL", message)


def _missing(draft: Draft) -> Iterator[Problem]:
    has_routes = draft.is_given("INGESTOR_ROUTES_FILE")
    for name, setting in BY_NAME.items():
        is_needed = name in REQUIRED or (name in REQUIRED_WITHOUT_ROUTES and not has_routes)
        if is_needed and not draft.is_given(name):
            other = f"{setting.section}.{setting.key} in the config file"
            yield Problem(name, f"is missing; set it, or {other}: {setting.field.description}")


def _topics(draft: Draft) -> Iterator[Problem]:
    if not draft.is_sound("KAFKA_TOPICS", "KAFKA_DEAD_LETTER_TOPIC"):
        return
    if draft.kafka.dead_letter_topic in draft.kafka.topics:
        letters = draft.written_name("KAFKA_DEAD_LETTER_TOPIC")
        message = f"must not contain the topic of {letters}: every letter would be read again"
        yield draft.problem("KAFKA_TOPICS", message)


def _limits(draft: Draft) -> Iterator[Problem]:
    for high, low in _AT_LEAST:
        if draft.is_sound(high, low) and draft.value(high) < draft.value(low):
            message = f"must be at least {draft.written_name(low)}; raise it or lower the other"
            yield draft.problem(high, message)


def _plain_http(draft: Draft) -> Iterator[Problem]:
    if not draft.is_sound("TUNER_BASE_URL", "TUNER_ALLOW_HTTP"):
        return
    if is_plain(draft.tuner.base_url) and not draft.tuner.allow_http:
        yield draft.problem("TUNER_BASE_URL", PLAIN_HTTP)
