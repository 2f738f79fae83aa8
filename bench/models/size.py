"""How many parameters a checkpoint has, read from the headers of its files.

parameter_count(find_weights("smollm2-135m"))    134515008
"""

import json
from math import prod
from pathlib import Path

from bench.models.weights import Weights


def parameter_count(weights: Weights) -> int:
    """Parameters in the safetensors of `weights` and, for an adapter, of its base.

    0 where the weights are a pickle, whose size nothing says without reading it whole.
    """
    stem = "model" if weights.base is None else "adapter_model"
    own = sum(map(_in_file, weights.folder.glob(f"{stem}*.safetensors")))
    return own + (parameter_count(weights.base) if weights.base else 0)


def _in_file(path: Path) -> int:
    with path.open("rb") as content:
        header = json.loads(content.read(int.from_bytes(content.read(8), "little")))
    return sum(prod(entry["shape"]) for key, entry in header.items() if key != "__metadata__")
