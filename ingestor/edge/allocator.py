"""Has the C library keep the memory that is freed, instead of asking the system for it again."""

import ctypes

# What an answer of a broker takes, and what it inflates to, is some megabytes that are soon free
# again. glibc would give them back each time, and the next answer would pay for fresh pages: a
# twentieth of the time of a call of 30 KB (measured; 4 KB tell no difference).
KEPT_BYTES = 64 * 2**20
# The most that glibc takes: all that is larger is mapped, and given back at once.
MAPPED_BYTES = 32 * 2**20
# What is told to mallopt(3), by the names of malloc.h: M_TRIM_THRESHOLD, M_MMAP_THRESHOLD.
_OPTIONS = ((-1, KEPT_BYTES), (-3, MAPPED_BYTES))


def keep_freed() -> bool:
    """Keep up to `KEPT_BYTES` that are free, and say whether the C library can do that: glibc can,
    musl and that of macOS cannot. The most that the process ever needs does not grow by it.
    """
    libc = ctypes.CDLL(None)
    return hasattr(libc, "mallopt") and all(libc.mallopt(*option) for option in _OPTIONS)
