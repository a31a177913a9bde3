"""Decides whether what is set for SASL and TLS is complete, has an effect and fits together."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import get_args

from ingestor.settings.catalogue import BY_NAME
from ingestor.settings.draft import Draft
from ingestor.settings.files import authorities_fault, client_fault
from ingestor.settings.groups import SaslMechanism
from ingestor.settings.problems import Problem

_PASSWORD = ("KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD")
_NEEDS: Mapping[SaslMechanism, tuple[str, ...]] = {
    "PLAIN": _PASSWORD,
    "SCRAM-SHA-256": _PASSWORD,
    "SCRAM-SHA-512": _PASSWORD,
    "OAUTHBEARER": (
        "KAFKA_SASL_OAUTH_TOKEN_URL",
        "KAFKA_SASL_OAUTH_CLIENT_ID",
        "KAFKA_SASL_OAUTH_CLIENT_SECRET",
    ),
    "GSSAPI": (),
}
_MAY_HAVE: Mapping[SaslMechanism, tuple[str, ...]] = {"OAUTHBEARER": ("KAFKA_SASL_OAUTH_SCOPE",)}
_SASL = tuple(name for name in BY_NAME if name.startswith("KAFKA_SASL_"))
_TLS = ("KAFKA_SSL_CA_FILE", "KAFKA_SSL_CERT_FILE", "KAFKA_SSL_KEY_FILE", "KAFKA_SSL_KEY_PASSWORD")


def broken_security(draft: Draft, *, is_installed: Callable[[str], bool]) -> Iterator[Problem]:
    """Yield what is missing, without effect or unfit; what is faulty by itself is left out.

    A setting without effect is refused: a password that is never sent is a mistake that would
    otherwise show as a broker that does not answer.
    """
    if draft.is_sound("KAFKA_SECURITY_PROTOCOL"):
        protocol = draft.kafka.security_protocol
        if protocol.startswith("SASL"):
            yield from _sasl(draft, is_installed=is_installed)
        else:
            sasl = "KAFKA_SECURITY_PROTOCOL is SASL_SSL or SASL_PLAINTEXT"
            yield from _without_effect(draft, _SASL, unless=sasl)
        if protocol.endswith("SSL"):
            yield from _tls(draft, *_TLS)
        else:
            tls = "KAFKA_SECURITY_PROTOCOL is SSL or SASL_SSL"
            yield from _without_effect(draft, _TLS, unless=tls)
    yield from _tls(draft, "TUNER_CA_FILE", "TUNER_CERT_FILE", "TUNER_KEY_FILE")


def _sasl(draft: Draft, *, is_installed: Callable[[str], bool]) -> Iterator[Problem]:
    if not draft.is_sound("KAFKA_SASL_MECHANISM"):
        return
    mechanism = draft.kafka.sasl_mechanism
    if mechanism is None:
        every = ", ".join(get_args(SaslMechanism))
        message = f"is missing: the security protocol asks for SASL; set it to one of {every}"
        yield Problem("KAFKA_SASL_MECHANISM", message)
        return
    if mechanism == "GSSAPI" and not is_installed("gssapi"):
        message = "needs a library that is not installed: install ingestor[gssapi], or set another"
        yield draft.problem("KAFKA_SASL_MECHANISM", message)
    needed = _NEEDS[mechanism]
    for name in needed:
        if not draft.is_given(name):
            yield Problem(name, f"is missing: {mechanism} needs it; set it")
    used = {"KAFKA_SASL_MECHANISM", *needed, *_MAY_HAVE.get(mechanism, ())}
    others = (name for name in _SASL if name not in used)
    yield from _without_effect(draft, others, unless="KAFKA_SASL_MECHANISM is one that uses it")


def _tls(
    draft: Draft, authorities: str, cert: str, key: str, password: str | None = None
) -> Iterator[Problem]:
    path = draft.value(authorities)
    if path and (fault := authorities_fault(path)):
        yield draft.problem(authorities, fault)
    if draft.is_given(cert) != draft.is_given(key):
        missing, other = (key, cert) if draft.is_given(cert) else (cert, key)
        message = f"is missing: {draft.written_name(other)} needs it; set it (one file may be both)"
        yield Problem(missing, message)
    elif not draft.is_given(key):
        yield from _without_effect(draft, [password] if password else [], unless=f"{key} is set")
    elif draft.is_sound(cert, key, password or key):
        secret = draft.value(password) if password else None
        if fault := client_fault(draft.value(cert), draft.value(key), secret):
            yield draft.problem(cert, fault)


def _without_effect(draft: Draft, names: Iterable[str], *, unless: str) -> Iterator[Problem]:
    for name in names:
        if name in draft.findings.written and draft.is_sound(name):
            yield draft.problem(name, f"has no effect unless {unless}; remove it or set that")
