"""A key/value cache whose rows have lengths of their own, enter and leave one by one.

Every row has a lane and its tokens lie at the left of it:

    lane 0   k k k k k k . .
    lane 1   k k k . . . . .      k: a token, .: room

A new token is written in its place, where transformers' DynamicCache copies the whole cache for
every token. Lanes lie in one block without gaps and are as wide as the longest row needs, with an
eighth to spare: on a CPU the products of attention take several times as long on strided keys.
`bench.models.refill` uses it for models that ask for nothing but mask and position ids.
"""

from typing import cast
from weakref import proxy

import torch
from torch import Tensor
from transformers import Cache, DynamicCache
from transformers.cache_utils import CacheLayerMixin

SPARE = 16  # columns, at least
GROWTH = 1.25  # fewer lanes more are not worth making all of them anew


class RaggedLayer(CacheLayerMixin):  # type: ignore[no-untyped-call]
    """The lanes of one layer, [lanes, heads, columns, dim]; `keys` and `values` are its rows."""

    is_sliding = False

    def __init__(self, cache: "RaggedCache", keys: Tensor, values: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.cache: RaggedCache = proxy(cache)  # in a circle it would wait for the collector
        self.all_keys, self.all_values = keys, values
        self.is_initialized = True

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Nothing: it is made with its tensors."""

    def update(
        self, key_states: Tensor, value_states: Tensor, *_: object, **__: object
    ) -> tuple[Tensor, Tensor]:
        """Write one token [rows, heads, 1, dim] to each row; all keys and values of the rows."""
        numbers, ends = self.cache.numbers, self.cache.ends
        self.all_keys[numbers, :, ends] = key_states.squeeze(2).to(self.all_keys.dtype)
        self.all_values[numbers, :, ends] = value_states.squeeze(2).to(self.all_values.dtype)
        rows = len(numbers)
        self.keys, self.values = self.all_keys[:rows], self.all_values[:rows]
        return self.keys, self.values

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Columns and offset of the keys that `update` will give."""
        return self.cache.columns, 0

    def get_seq_length(self) -> int:
        """Tokens of the longest row: a window that holds it hides nothing of any."""
        return max(self.cache.lengths, default=0)

    def get_max_length(self) -> int:
        """It grows."""
        return -1


class RaggedCache(Cache):
    """Layers with the shapes and types of `like`; `lengths` holds the tokens in each lane, which
    has no more than `widest` columns."""

    def __init__(self, like: DynamicCache, widest: int) -> None:
        self.lengths: list[int] = []
        self.lanes = self.columns = 0
        self.widest = widest
        layers = states_of(like)
        self.device = layers[0][0].device
        self.numbers = self.ends = torch.zeros(0, dtype=torch.long, device=self.device)
        super().__init__(
            layers=[
                RaggedLayer(self, keys[:0, :, :0], values[:0, :, :0]) for keys, values in layers
            ]
        )

    def reserve(self, lanes: int) -> int:
        """Make room for `lanes` rows, unless there is room for about as many; how many fit."""
        if lanes > GROWTH * self.lanes:
            self._resize(lanes, self.columns)
        return self.lanes

    def place(self, cache: DynamicCache, row: int, columns: Tensor | slice, length: int) -> None:
        """Append a row: the `length` tokens in `columns` of a row of `cache`."""
        lane = len(self.lengths)
        if length > self.columns:
            self._resize(self.lanes, self._roomy(length))
        for layer, (keys, values) in zip(self._layers, states_of(cache), strict=True):
            layer.all_keys[lane, :, :length] = keys[row][:, columns]
            layer.all_values[lane, :, :length] = values[row][:, columns]
        self.lengths.append(length)

    def drop(self, lane: int) -> None:
        """Drop a row; the last row takes its lane."""
        length = self.lengths.pop()
        last = len(self.lengths)
        if lane == last:
            return
        for layer in self._layers:
            for states in (layer.all_keys, layer.all_values):
                states[lane, :, :length] = states[last, :, :length]
        self.lengths[lane] = length

    def extend(self) -> Tensor:
        """Make room for one more token a row, which `update` is about to write; which columns
        [rows, columns] each row then sees."""
        longest = max(self.lengths) + 1
        if longest > self.columns or 2 * self._roomy(longest) < self.columns:
            self._resize(self.lanes, self._roomy(longest))
        self.ends = torch.tensor(self.lengths, device=self.device)
        self.numbers = torch.arange(len(self.lengths), device=self.device)
        columns = torch.arange(self.columns, device=self.device)
        return (columns <= self.ends.unsqueeze(1)).long()

    def written(self) -> None:
        """Every row has one more token."""
        self.lengths = [length + 1 for length in self.lengths]

    @property
    def _layers(self) -> "list[RaggedLayer]":
        return cast("list[RaggedLayer]", self.layers)

    def _roomy(self, columns: int) -> int:
        """Not wider than any row may become: a model with a window may count columns."""
        return max(columns, min(columns + max(SPARE, columns // 8), self.widest))

    def _resize(self, lanes: int, columns: int) -> None:
        rows, kept = len(self.lengths), min(self.columns, columns)
        self.lanes, self.columns = lanes, columns
        for layer in self._layers:
            layer.keys = layer.values = None  # views would keep the old room
            layer.all_keys = _moved(layer.all_keys, lanes, columns, rows, kept)
            layer.all_values = _moved(layer.all_values, lanes, columns, rows, kept)


def states_of(cache: Cache) -> list[tuple[Tensor, Tensor]]:
    """Keys and values of each layer, [rows, heads, tokens, dim]."""
    layers = cast("list[CacheLayerMixin]", cache.layers)
    return [(cast(Tensor, layer.keys), cast(Tensor, layer.values)) for layer in layers]


def _moved(states: Tensor, lanes: int, columns: int, rows: int, kept: int) -> Tensor:
    """Other room for the first `rows` and `kept` columns; zeros elsewhere, for what attention is
    told not to see must still be finite."""
    _, heads, _, dim = states.shape
    made = states.new_zeros(lanes, heads, columns, dim)
    made[:rows, :, :kept] = states[:rows, :, :kept]
    return made
