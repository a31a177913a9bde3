"""Undoes the coding of a body that a gateway compressed although nobody asked for it."""

import zlib

from ingestor.core.answer import Fault

# zlib's own number for "a header of gzip or of zlib, whichever there is".
_EITHER = zlib.MAX_WBITS | 32
_CODINGS = frozenset({b"gzip", b"x-gzip", b"deflate"})


def decoded(body: bytes, coding: bytes, most: int) -> tuple[bytes, bool] | Fault:
    """Return what *body* says, of it no more than *most* bytes, and whether that is all.

    A little on the wire may be a lot in memory.
    """
    if coding in {b"", b"identity"}:
        return body[:most], len(body) <= most
    if coding not in _CODINGS:
        return Fault.NOT_HTTP
    unpacked = zlib.decompressobj(_EITHER)
    try:
        text = unpacked.decompress(body[:most], most + 1)
    except zlib.error:
        return Fault.CUT_OFF
    if len(body) > most or len(text) > most:
        return text[:most], False
    return (text, True) if unpacked.eof else Fault.CUT_OFF
