"""Reads the numbers of variable length in which records are written (zigzag, as in Protocol
Buffers).
"""

LONGEST = 10
_BITS = 64


class BrokenError(Exception):
    """Says what cannot be read: a place and a rule, never a value."""


def varint(buffer: bytes, position: int, end: int) -> tuple[int, int]:
    """Read the number at *position* of *buffer*, before *end*; return it and where it ends.

    Raises BrokenError for one that is cut off, or longer than 64 bits.
    """
    shift = number = 0
    for here in range(position, min(end, position + LONGEST)):
        byte = buffer[here]
        number |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the bit that says that more follows
            if number >> _BITS:
                break
            return (number >> 1) ^ -(number & 1), here + 1
        shift += 7
    raise BrokenError("a number that does not end")
