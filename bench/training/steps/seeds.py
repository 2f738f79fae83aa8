"""Randomness from names, never from position: the same words give the same seed everywhere.

>>> seed_of(0, "ppo", 12) == seed_of(0, "ppo", 12) != seed_of(0, "ppo", 13)
True
"""

from bench.registry.prompt import digest
from bench.types import Json


def seed_of(*parts: Json) -> int:
    """48 bits from the digest of `parts`: a run's seed, then what is drawn."""
    return int(digest(list(parts))[:12], 16)
