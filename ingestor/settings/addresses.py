"""Decides which texts name something on a network: URLs, brokers, hosts and Kafka's topics."""

import ipaddress
import re
from collections import Counter
from urllib.parse import SplitResult, urlsplit

from ingestor.settings.values import listed, text, unfit

CALL_PATH = "/api/v1/public/call"
_PORT = {"http": 80, "https": 443}
_LARGEST_PORT = 65535
_BROKER_PORT = 9092
_HOST = re.compile(r"[a-z0-9_]([a-z0-9._-]{0,251}[a-z0-9_])?\.?", re.IGNORECASE)
_BROKER = re.compile(r"(\[[^\[\]]+\]|[^:\[\]]+)(?::([0-9]{1,5}))?")
_KAFKA_NAME = re.compile(r"[A-Za-z0-9._-]{1,249}")
_URL_RULE = "must be a URL like https://host/path in ASCII, without a user name"
_BROKERS_RULE = "must be brokers as host:port, separated by commas, without a scheme"
_TOPIC_RULE = "must be at most 249 letters, digits, '.', '_' and '-' (not '.' or '..')"


def base_url(raw: object) -> str:
    """Return where Tuner is, normalised: lower case, no default port, no slash at the end.

    Two spellings of one address must be one destination: they share its holds and limits.
    """
    written = text(raw)
    if "?" in written or "#" in written:
        raise unfit("must be a URL without a query or fragment (no '?' or '#')")
    parts = _split(written)
    path = parts.path.rstrip("/")
    if path.endswith(CALL_PATH):
        raise unfit(f"must be only the start of the URL: {CALL_PATH} is added to it")
    return f"{_origin(parts)}{path}"


def token_url(raw: object) -> str:
    """Return an OAuth token endpoint; it may have a query (RFC 6749, 3.2) but no fragment."""
    written = text(raw)
    if "#" in written:
        raise unfit("must be a URL without a fragment (no '#')")
    parts = _split(written)
    query = f"?{parts.query}" if parts.query else ""
    return f"{_origin(parts)}{parts.path}{query}"


def is_plain(url: str) -> bool:
    """Say whether *url* would carry secrets unencrypted to another machine."""
    parts = urlsplit(url)
    return parts.scheme == "http" and not _is_loopback(parts.hostname or "")


def host(raw: object) -> str:
    """Return an address or name to listen on, without a scheme or port."""
    found = text(raw)
    if not (_HOST.fullmatch(found) or _is_ip(found)):
        raise unfit("must be an IP address or host name alone, without a scheme or port")
    return found


def brokers(raw: object) -> tuple[str, ...]:
    """Return brokers as `host:port`, with Kafka's usual port where none is given."""
    return tuple(_broker(entry) for entry in listed(raw))


def kafka_name(raw: object) -> str:
    """Return a name that Kafka accepts for a topic, and for a static member of a group."""
    found = text(raw)
    if not _KAFKA_NAME.fullmatch(found) or found in {".", ".."}:
        raise unfit(_TOPIC_RULE)
    return found


def topics(raw: object) -> tuple[str, ...]:
    """Return the topics of a comma list or a TOML list; one named twice is a mistake."""
    found = tuple(kafka_name(entry) for entry in listed(raw))
    if max(Counter(found).values()) > 1:
        raise unfit("must name each topic once")
    return found


def _broker(entry: str) -> str:
    match = _BROKER.fullmatch(entry)
    if match is None:
        raise unfit(_BROKERS_RULE)
    name, port = match[1], int(match[2] or _BROKER_PORT)
    known = _is_ip(name[1:-1]) if name.startswith("[") else bool(_HOST.fullmatch(name))
    if not known or not 0 < port <= _LARGEST_PORT:
        raise unfit(_BROKERS_RULE)
    return f"{name}:{port}"


def _split(written: str) -> SplitResult:
    if not written.isascii() or " " in written or "\\" in written:
        raise unfit(_URL_RULE)
    try:
        parts = urlsplit(written)
        port = parts.port
    except ValueError:
        raise unfit(_URL_RULE) from None
    if parts.scheme not in _PORT or port == 0 or "@" in parts.netloc:
        raise unfit(_URL_RULE)
    name = parts.hostname or ""
    if not (_is_ip(name) if "[" in parts.netloc else _HOST.fullmatch(name)):
        raise unfit(_URL_RULE)
    return parts


def _origin(parts: SplitResult) -> str:
    name = parts.hostname or ""
    shown = f"[{name}]" if ":" in name else name
    usual = parts.port in {None, _PORT[parts.scheme]}
    return f"{parts.scheme}://{shown}{'' if usual else f':{parts.port}'}"


def _is_ip(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return "%" not in name  # a zone is the name of a network card of one machine


def _is_loopback(name: str) -> bool:
    bare = name.removesuffix(".")
    if bare == "localhost" or bare.endswith(".localhost"):
        return True
    return _is_ip(bare) and ipaddress.ip_address(bare).is_loopback
