"""lm-eval's HFLM answers the requests in a file; runs in an environment of its own.

    python -m tests.speed.workers.evaluate_lm_eval FILE MODEL_FOLDER DTYPE DEVICE

FILE holds a list of `{"prompt": ..., "continuations": [...]}` or `{"prompt": ..., "stops": [...],
"max_tokens": 48}`. It is asked `{"rows": [0, 4, 8], "batch": 16}` and answers with a list of
log-likelihoods or a text for each.
"""

from tests.speed.workers.answer import Line, forget_device_peak, peak_of

line = Line()

import json  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from lm_eval.api.instance import Instance  # noqa: E402
from lm_eval.models.huggingface import HFLM  # noqa: E402

Asked = list[dict[str, Any]]


def main(file: str, folder: str, dtype: str, device: str) -> None:
    requests: Asked = json.loads(Path(file).read_text())
    model = HFLM(pretrained=folder, dtype=dtype, device=device, batch_size=1)
    line.ready()
    for asked in line.asks(forget_peak=True):
        forget_device_peak(device)
        model.batch_size_per_gpu = asked["batch"]
        chosen = [requests[row] for row in asked["rows"]]
        found = score(model, chosen) if "continuations" in chosen[0] else generate(model, chosen)
        line.answer(results=found, **peak_of(device))


def score(model: HFLM, requests: Asked) -> list[list[float]]:
    pairs = [
        (request["prompt"], continuation)
        for request in requests
        for continuation in request["continuations"]
    ]
    found = iter(model.loglikelihood(instances("loglikelihood", pairs), disable_tqdm=True))
    return [[next(found)[0] for _ in request["continuations"]] for request in requests]


def generate(model: HFLM, requests: Asked) -> list[str]:
    asked = [
        (
            request["prompt"],
            {
                "until": request["stops"],
                "max_gen_toks": request["max_tokens"],
                "do_sample": False,
                "temperature": 0.0,
            },
        )
        for request in requests
    ]
    return model.generate_until(instances("generate_until", asked), disable_tqdm=True)


def instances(kind: str, arguments: list[tuple[Any, ...]]) -> list[Instance]:
    return [
        Instance(request_type=kind, doc={}, arguments=one, idx=place)
        for place, one in enumerate(arguments)
    ]


main(*sys.argv[1:])
