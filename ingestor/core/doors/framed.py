"""JSON framed by a Schema Registry: a zero byte and a four-byte schema id in front (Confluent's
wire format).
"""

MAGIC = 0
FRAME = 5
_OPENINGS = (b"{", b"[", b"\xef\xbb\xbf")
_FIRST = (b"{", b" ", b"\n", b"\r", b"\t")


def is_framed(value: bytes) -> bool:
    """Whether *value* starts with the magic byte; no JSON in UTF-8 does, and UTF-16 does not go on
    like this.
    """
    return len(value) > 0 and value[0] == MAGIC and not _is_wide(value)


def unframe(value: bytes) -> bytes | None:
    """Strip the frame; None when what it holds is not JSON (Avro and Protobuf are framed alike)."""
    inner = value[FRAME:]
    return inner if inner.lstrip(b" \t\r\n").startswith(_OPENINGS) else None


def _is_wide(value: bytes) -> bool:
    """Whether it is UTF-16 or UTF-32 without a mark, most significant byte first: the zeros go on
    where no schema id of a registry has them, or where a frame's JSON begins.
    """
    is_utf_16 = value[1:2] in _FIRST and value[2:3] == b"\0"
    is_utf_32 = value[:3] == b"\0\0\0" and value[3:4] in _FIRST and value[4:7] == b"\0\0\0"
    return is_utf_16 or is_utf_32
