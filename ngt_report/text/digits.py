"""Whole numbers in a text, eight digits at a time: eight bytes as one integer, and all numbers of a column at once."""

from __future__ import annotations

from typing import Any


def words_of(text: Any) -> Any:
    """The eight bytes from each place on, as one integer: the first byte is the lowest."""
    import numpy as np

    return np.ndarray((len(text) - 7,), "<u8", text, strides=(1,))


def joined(digits: Any) -> Any:
    """The numbers that eight digits make, of which the first is the lowest byte."""
    import numpy as np

    for bits, mask in ((8, 0x00FF00FF00FF00FF), (16, 0x0000FFFF0000FFFF), (32, 0x00000000FFFFFFFF)):
        after = digits >> np.uint64(bits)
        digits = digits * np.uint64(10 ** (bits // 8))
        digits += after
        digits &= np.uint64(mask)
    return digits


def last_digits(bytes_: Any, count: Any) -> Any:
    """The numbers that the last digits of eight bytes make, `count` of them, none to eight."""
    import numpy as np

    others = np.uint64(64) - np.uint64(8) * count.astype(np.uint64)
    return joined((bytes_ ^ np.uint64(0x3030303030303030)) >> others << others).astype(np.float64)


def numbers(before: Any, ends: Any, counts: Any) -> Any:
    """The numbers of at most 15 digits that end at these places; `before` holds the eight bytes before each place."""
    import numpy as np

    if counts.max() <= 8:
        return last_digits(before[ends], counts)
    front = last_digits(before[ends - 8], np.maximum(counts - 8, 0))
    return front * 1e8 + last_digits(before[ends], np.minimum(counts, 8))


def dotted(before: Any, ends: Any, counts: Any, places: int) -> Any:
    """The same of numbers with a point: `counts` digits, the point, and `places` more digits."""
    import numpy as np

    if counts.max() + 1 + places > 8:
        after = np.full(len(ends), places)
        return (numbers(before, ends - 1 - places, counts) * 10.0**places + numbers(before, ends, after)) / 10.0**places
    found, bits = before[ends], np.uint64(64 - 8 * places)
    whole = found << np.uint64(8) & np.uint64((1 << int(bits)) - 1)
    return last_digits(found >> bits << bits | whole, counts + places) / 10.0**places
