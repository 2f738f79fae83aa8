"""How a checkpoint is opened. No torch here, so that the command line can name the options."""

from dataclasses import dataclass
from typing import Literal

DType = Literal["auto", "float32", "bfloat16", "float16"]
Engine = Literal["fast", "naive"]


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """`batch_tokens` 0 chooses by device; `base` is for adapters that do not name theirs; the naive
    `engine` asks row by row (`bench.models.naive`)."""

    revision: str = ""
    base: str = ""
    dtype: DType = "auto"
    device: str = "auto"
    allow_pickle: bool = False
    batch_tokens: int = 0
    engine: Engine = "fast"
