"""`bench eval` until it sends its first request.

    python -m tests.speed.workers.first_request BEGUN

BEGUN is the time at which the process was started. Answers `{"until": 5.2, "loading": 1.9}`:
seconds until the first request, and those of them in which transformers loaded the weights.
"""

from tests.speed.workers.answer import Line

line = Line()

import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from collections.abc import Iterator, Sequence  # noqa: E402
from pathlib import Path  # noqa: E402

from bench.cli import main  # noqa: E402
from bench.models.install import load_for_good  # noqa: E402

load_for_good()

from transformers import AutoModelForCausalLM  # noqa: E402

from bench.models.hf import HuggingFace  # noqa: E402
from bench.models.model import Encoded  # noqa: E402
from bench.types import Reply  # noqa: E402

BEGUN = float(sys.argv[1])
load = AutoModelForCausalLM.from_pretrained
loading = 0.0


def load_timed(*arguments: object, **named: object) -> object:
    global loading
    begun = time.perf_counter()
    try:
        return load(*arguments, **named)
    finally:
        loading += time.perf_counter() - begun


def tell(self: HuggingFace, asked: Sequence[Encoded]) -> Iterator[tuple[int, Reply]]:
    line.ready(until=time.time() - BEGUN, loading=loading)
    sys.exit()


AutoModelForCausalLM.from_pretrained = load_timed
HuggingFace.answer = tell
with tempfile.TemporaryDirectory() as made:
    output = str(Path(made) / "runs")
    sys.argv = ["bench", "eval", "smollm2-135m", "-t", "facts", "--limit", "8", "-o", output]
    main()
