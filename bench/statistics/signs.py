"""Sums under flipped signs, for tests in which a difference is as likely as its opposite.

Called by `bench.statistics.permutation` and `bench.statistics.wild`.

>>> signed_sums(np.array([1.0, 0.5])).tolist()
[1.5, 0.5]
"""

import numpy as np

from bench.statistics.scale import Matrix, Values


def signed_sums(values: Values) -> Values:
    """The sum of `values` [n] under every choice of signs but for that of the first [2^(n - 1)].

    A two-sided test does not tell a choice from its opposite. The order of the choices depends on
    n alone.
    """
    found = values[:1] if values.size else np.zeros(1)
    for value in values[1:]:
        found = np.concatenate([found + value, found - value])
    return found


def random_signs(draws: int, units: int, random: np.random.Generator) -> Matrix:
    """Fair and independent signs [draws, units]."""
    packed = np.frombuffer(random.bytes(-(-draws * units // 8)), dtype=np.uint8)
    bits = np.unpackbits(packed, count=draws * units).reshape(draws, units)
    return 1.0 - 2.0 * bits.astype(np.float64)
