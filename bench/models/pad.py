"""Rows of unequal length as one tensor with a mask.

>>> ids, mask = pad([[7, 8, 9], [5]])
>>> ids.tolist(), mask.tolist()
([[7, 8, 9], [5, 0, 0]], [[1, 1, 1], [1, 0, 0]])
"""

from collections.abc import Sequence

import torch
from torch import Tensor


def pad(rows: Sequence[Sequence[int]], left: bool = False) -> tuple[Tensor, Tensor]:
    """Token ids and attention mask, [rows, longest], padded with 0: the mask, not the id, tells."""
    width = max(map(len, rows))
    ids, mask = [], []
    for row in rows:
        gap = width - len(row)
        ids.append([0] * gap + list(row) if left else list(row) + [0] * gap)
        mask.append([0] * gap + [1] * len(row) if left else [1] * len(row) + [0] * gap)
    return torch.tensor(ids), torch.tensor(mask)
