"""How glibc keeps freed memory: told to hand it back, so that an idle proxy is a small one.

Elsewhere than on glibc it does nothing.
"""

import ctypes

# malloc.h
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8

_LARGE = 1 << 20


def keep_little() -> None:
    """Two arenas for all threads, and large blocks mapped on their own.

    A password check takes 16 MB for 40 ms; without a fixed threshold glibc learns from the first
    one to keep that much for ever.
    """
    try:
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE)
        libc.mallopt(_M_ARENA_MAX, 2)
    except (OSError, AttributeError):
        return
