"""Reads the files that settings name: secrets, TOML, certificates and keys."""

import re
import ssl
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from ingestor.settings.values import text, unfit

_LARGEST_SECRET = 64 * 1024
_LARGEST_TOML = 16 * 1024 * 1024
_POSITION = re.compile(r"\(at line (\d+), column (\d+)\)$")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a file cannot be used, in words that quote nothing of it."""

    why: str


def readable_file(raw: object) -> Path:
    """Return the path of a file that exists and may be read by this process."""
    path = Path(text(raw))
    if isinstance(found := _read(path, largest=None), Unreadable):
        raise unfit(f"must name a file this process can read ({found.why})")
    return path


def read_secret(path: Path) -> str | Unreadable:
    """Read a secret, without the one newline that an editor puts at its end."""
    content = _read(path, largest=_LARGEST_SECRET)
    if isinstance(content, Unreadable):
        return content
    try:
        found = content.decode()
    except UnicodeDecodeError:
        return Unreadable("not text in UTF-8")
    secret = found.removesuffix("\n").removesuffix("\r")
    return secret or Unreadable("empty")


def read_toml(path: Path) -> dict[str, Any] | Unreadable:
    """Read a TOML file; a mistake in its syntax is told by line and column."""
    content = _read(path, largest=_LARGEST_TOML)
    if isinstance(content, Unreadable):
        return content
    try:
        found = content.decode()
    except UnicodeDecodeError as error:
        return Unreadable(f"not text in UTF-8, {_place(content[: error.start].decode())}")
    try:
        return tomllib.loads(found)
    except (ValueError, RecursionError) as error:
        # Only the place is taken over: the parser's text may quote what stands there.
        at = _POSITION.search(str(error))
        place = f"line {at[1]}, column {at[2]}" if at else _place(found)
        return Unreadable(f"not valid TOML, {place}")


def shown_path(written: str) -> str:
    """Return *written* when it is surely a path: a secret put into a `*_FILE` must not be shown."""
    return written if written.startswith(("/", "./", "../")) else "the file"


def authorities_fault(path: Path) -> str | None:
    """Say what is wrong with the certificates of authorities in *path*."""
    try:
        ssl.create_default_context(cafile=path)
    except (OSError, ValueError):
        return "must hold certificates in PEM form"
    return None


def client_fault(certificate: Path, key: Path, password: SecretStr | None) -> str | None:
    """Say what is wrong with a client's *certificate* and its *key*, or with their fitting."""
    # Without a password of its own OpenSSL would ask the terminal for one.
    known = password.get_secret_value() if password else ""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_cert_chain(certificate, key, password=lambda: known)
    except (OSError, ValueError):
        return "must fit its key: both in PEM form, and the key's password right if it has one"
    return None


def _read(path: Path, *, largest: int | None) -> bytes | Unreadable:
    try:
        with path.open("rb") as file:
            content = file.read(0 if largest is None else largest + 1)
    except OSError as error:
        return Unreadable((error.strerror or "cannot be opened").lower())
    except ValueError:  # a NUL or a lone surrogate in the path
        return Unreadable("not a path")
    if largest is not None and len(content) > largest:
        return Unreadable(f"larger than {largest:,} bytes")
    return content


def _place(before: str) -> str:
    lines = before.split("\n")
    return f"line {len(lines)}, column {len(lines[-1]) + 1}"
