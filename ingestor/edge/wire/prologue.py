"""Writes the heads of requests."""

from collections.abc import Mapping
from urllib.parse import urlsplit


class Prologue:
    """The head of the requests to *url*, put together once for each key; only the length varies."""

    def __init__(self, url: str, common: Mapping[str, str]) -> None:
        parts = urlsplit(url)
        line = f"POST {parts.path}?{parts.query} HTTP/1.1\r\n"
        self._fixed = line + _lines({"Host": parts.netloc, **common})
        self._key: Mapping[str, str] = {}
        self._start = b""

    def write(self, key: Mapping[str, str], length: int) -> bytes:
        """Write the head of a request of *length* bytes with the headers of a *key*."""
        if key is not self._key:
            self._key = key
            self._start = f"{self._fixed}{_lines(key)}Content-Length: ".encode("ascii")
        return b"%b%d\r\n\r\n" % (self._start, length)


def _lines(headers: Mapping[str, str]) -> str:
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items())
