"""A Result that says everything, to send out; and a record as another converter writes it."""

from bench.reporting.importers.every_eval_ever_export import Publisher
from bench.reporting.results.schema import (
    Items,
    Link,
    Metric,
    ModelEntry,
    Provenance,
    Result,
    TaskEntry,
)
from tests.reporting.importers.sources import write_json, write_lines

PUBLISHER = Publisher("Example Lab", developer="example", retrieved=1_768_964_383)
WHOLE = Result(
    schema_version=1,
    model=ModelEntry(
        name="sft-1.3b",
        revision="0123456789abcdef",
        stage="sft",
        family="InstructGPT",
        size="1.3B",
        parameters=1_300_000_000,
        recipe="recipe.yaml",
        licence="MIT",
        parents=(Link("policy", "gpt-1.3b", "f"), Link("reward", "rm", "e")),
    ),
    task=TaskEntry(
        name="truthful_qa",
        version=3,
        digest="d",
        prompts_digest="p",
        kind="truthfulness",
        language="en",
        metrics=(
            Metric("truthful", chance=0.25, rope=0.02, margin=0.03),
            Metric("loss", lower_is_better=True, low=-1.0, high=5.0),
        ),
        variant="instruction",
        title="TruthfulQA",
        source="https://example.org/data",
    ),
    settings={"shots": 5, "temperature": 0.7, "max_tokens": 16, "chat": True, "limit": None},
    provenance=Provenance(
        tool="instruct-bench 0.1.0",
        scorer="instruct-bench 0.1.0",
        command="bench eval org/model",
        started="2026-01-01T00:00:00+00:00",
        seconds=1.5,
        environment={"python": "3.11.0"},
        git={"commit": "abc"},
        notes=("one", "两"),
    ),
    asked=4,
    items=Items(
        ids=("a", "a", "b", "c"),
        digests=("da", "da", "db", "dc"),
        clusters=("1", "1", "1", "2"),
        samples=(0, 1, 0, 0),
        failures=("", "", "", "no reply"),
        scores={"truthful": (1.0, 0.1 + 0.2, 0.0, None), "loss": (-0.5, 4.75, 1 / 3, None)},
        measures={"characters": (31.0, None, 2.0, None), "refused": (0.0, 1.0, 0.0, None)},
    ),
    aggregates={"distinct_1": 0.1, "ece": None},
)


def foreign(score=0.5, low=0.0, high=1.0):
    """An aggregate file as another tool's converter writes it."""
    return {
        "schema_version": "0.3.0",
        "evaluation_id": "gsm8k/org/one/1768964383",
        "evaluation_timestamp": "1768964383.86",
        "retrieved_timestamp": "1768964999",
        "source_metadata": {
            "source_name": "a board",
            "source_type": "evaluation_run",
            "source_organization_name": "Example Lab",
            "evaluator_relationship": "third_party",
        },
        "eval_library": {"name": "lm-evaluation-harness", "version": "0.4.13"},
        "model_info": {"name": "One", "id": "org/one"},
        "evaluation_results": [
            {
                "evaluation_name": "gsm8k",
                "source_data": {
                    "dataset_name": "gsm8k",
                    "source_type": "hf_dataset",
                    "hf_repo": "openai/gsm8k",
                    "hf_split": "test",
                },
                "metric_config": {
                    "metric_id": "accuracy",
                    "lower_is_better": False,
                    "score_type": "continuous",
                    "min_score": low,
                    "max_score": high,
                },
                "score_details": {"score": score},
                "generation_config": {"generation_args": {"temperature": 0.0}},
            }
        ],
    }


def foreign_samples():
    """Two draws of one item."""
    return [
        {
            "schema_version": "0.3.0",
            "evaluation_id": "gsm8k/org/one/1768964383",
            "model_id": "org/one",
            "evaluation_name": "gsm8k",
            "sample_id": "q7" if score else "q7#r1",
            "interaction_type": "single_turn",
            "input": {"raw": "2 + 2 =", "reference": ["4"]},
            "output": {"raw": ["It is 4."]},
            "answer_attribution": [],
            "evaluation": {"score": score, "is_correct": bool(score)},
            "token_usage": {"input_tokens": 9, "output_tokens": 5, "total_tokens": 14},
        }
        for score in (1.0, 0.0)
    ]


def write_foreign(folder, log, samples):
    write_lines(folder / "u_samples.jsonl", samples)
    return write_json(folder / "u.json", log)
