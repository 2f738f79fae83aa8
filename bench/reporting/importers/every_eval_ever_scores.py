"""A Result's metrics and items as every_eval_ever holds them: `evaluation_results` and samples.

Called by `bench.reporting.importers.every_eval_ever_export`.

>>> as_text({"b": 1.5, "a": None})
'{"a":null,"b":1.5}'
"""

import json
import re
from dataclasses import asdict

from bench.errors import RunError
from bench.reporting.importers.every_eval_ever_keys import (
    MEASURE,
    METRIC_NUMBERS,
    PREFIX,
    SCHEMA_VERSION,
    TASK_TEXTS,
)
from bench.reporting.results.schema import Metric, Result
from bench.statistics.intervals import mean_interval
from bench.types import Json

LEVEL = 0.95
HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")  # a data set on the Hub
Content = dict[str, Json]


def evaluation_of(result: Result, metric: Metric) -> Content:
    """One of `evaluation_results`: task, metric, mean with its uncertainty, settings.

    Raises:
        RunError: the metric has no score at all: the schema has no way to say so.
    """
    task, told = result.task, asdict(result.task)
    numbers = asdict(metric)
    return {
        "evaluation_result_id": f"{asked_of(result)}#{metric.name}",
        "evaluation_name": asked_of(result),
        "source_data": {
            **_data(task.name, task.source),
            "additional_details": texts(
                {
                    **{name: str(told[name]) for name in TASK_TEXTS},
                    "version": str(task.version),
                }
            ),
        },
        "metric_config": {
            "metric_id": metric.name,
            "metric_name": metric.name,
            "metric_unit": "proportion" if (metric.low, metric.high) == (0, 1) else "points",
            "lower_is_better": metric.lower_is_better,
            "score_type": "continuous",
            "min_score": metric.low,
            "max_score": metric.high,
            "metric_parameters": {name: numbers[name] for name in METRIC_NUMBERS},
        },
        "score_details": _score(result, metric),
        "generation_config": _generation(result),
    }


def _data(name: str, source: str) -> Content:
    if source.startswith(("https://", "http://")):
        return {"dataset_name": name, "source_type": "url", "url": [source]}
    if HUB_NAME.fullmatch(source):
        return {"dataset_name": name, "source_type": "hf_dataset", "hf_repo": source}
    return {"dataset_name": name, "source_type": "other"}


def _score(result: Result, metric: Metric) -> Content:
    """The mean over the items that were scored, with its clustered standard error."""
    pairs = [
        (score, cluster)
        for score, cluster in zip(
            result.items.scores[metric.name], result.items.clusters, strict=True
        )
        if score is not None
    ]
    if not pairs:
        raise RunError(
            f"{asked_of(result)} of {result.model.name}: no item has a score of {metric.name}, and "
            "every_eval_ever cannot say so",
            "export the other results",
        )
    scores, clusters = [score for score, _ in pairs], [cluster for _, cluster in pairs]
    found = mean_interval(scores, clusters, LEVEL, bounds=(metric.low, metric.high))
    uncertainty: Content = {"num_samples": len(scores)}
    if found.se is not None:
        how = "analytic" if len(set(clusters)) == len(scores) else "analytic, clustered (CR1)"
        uncertainty["standard_error"] = {"value": found.se, "method": how}
    if found.lo is not None and found.hi is not None:
        uncertainty["confidence_interval"] = {
            "lower": found.lo,
            "upper": found.hi,
            "confidence_level": found.level,
            "method": found.method,
        }
    return {"score": found.estimate, "uncertainty": uncertainty}


def _generation(result: Result) -> Content:
    settings = result.settings
    told: Content = {"execution_command": result.provenance.command}
    for name in ("temperature", "top_p"):
        value = settings.get(name)
        if isinstance(value, (int, float)):
            told[name] = float(value)
    tokens = settings.get("max_tokens")
    if isinstance(tokens, int) and tokens >= 1:
        told["max_tokens"] = tokens
    return {
        "generation_args": told,
        "additional_details": {f"{PREFIX}settings": as_text(dict(settings))},
    }


def samples_of(result: Result, evaluation: str, identity: str) -> list[Content]:
    """A line for each item and metric; the texts are not in a Result, so they are empty."""
    lines: list[Content] = []
    items = result.items
    for place, name in enumerate(items.ids):
        sample = items.samples[place]
        for metric in result.task.metrics:
            score = items.scores[metric.name][place]
            if score is None:
                continue
            lines.append(
                {
                    "schema_version": SCHEMA_VERSION,
                    "evaluation_id": evaluation,
                    "model_id": identity,
                    "evaluation_name": asked_of(result),
                    "evaluation_result_id": f"{asked_of(result)}#{metric.name}",
                    "sample_id": f"{name}#r{sample}" if sample else name,
                    "interaction_type": "single_turn",
                    "input": {"raw": "", "reference": []},
                    "output": {"raw": []},
                    "answer_attribution": [],
                    "evaluation": {"score": score, "is_correct": _is_right(score, metric)},
                    "metadata": _item(result, place),
                }
            )
    return lines


def _is_right(score: float, metric: Metric) -> bool:
    """The schema wants yes or no of graded scores too: yes in the better half of the scale."""
    middle = (metric.low + metric.high) / 2
    return score < middle if metric.lower_is_better else score > middle


def _item(result: Result, place: int) -> Content:
    items = result.items
    measures = {
        f"{MEASURE}{name}": repr(value)
        for name, column in items.measures.items()
        if (value := column[place]) is not None
    }
    return {
        f"{PREFIX}id": items.ids[place],
        f"{PREFIX}digest": items.digests[place],
        f"{PREFIX}cluster": items.clusters[place],
        f"{PREFIX}sample": str(items.samples[place]),
        **measures,
    }


def asked_of(result: Result) -> str:
    """The task, and its wording where that is not the usual: "truthful_qa@instruction"."""
    task = result.task
    return f"{task.name}@{task.variant}" if task.variant else task.name


def texts(values: dict[str, str]) -> Content:
    """`values` under our keys, for a free map of texts."""
    return {f"{PREFIX}{name}": value for name, value in values.items()}


def as_text(value: Json) -> str:
    """`value` as canonical JSON, for a map that holds texts alone."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
