"""A minimal run folder as crfm-helm 0.5.16 writes it."""

from pathlib import Path

from tests.reporting.importers.sources import write_json

HELM_RUN = "mmlu:subject=philosophy,method=multiple_choice_joint,model=org_one"


def helm_run() -> dict[str, object]:
    """The files of a run: an item in two trials and perturbed, another to validate with."""
    entries = [
        _helm("id1", "test", 0, 1.0),
        _helm("id1", "test", 1, 0.0),
        _helm("id1", "test", 0, 0.0, perturbation="typos"),
        _helm("id2", "valid", 0, 1.0),
    ]
    return {
        "run_spec.json": {
            "name": HELM_RUN,
            "scenario_spec": {
                "class_name": "helm.benchmark.scenarios.mmlu_scenario.MMLUScenario",
                "args": {"subject": "philosophy"},
            },
            "adapter_spec": {
                "method": "generation",
                "input_prefix": "Question: ",
                "max_train_instances": 5,
                "model_deployment": "huggingface/one",
                "model": "org/one",
                "temperature": 0.0,
                "max_tokens": 1,
                "stop_sequences": ["\n"],
            },
            "metric_specs": [
                {"class_name": "x.BasicGenerationMetric", "args": {"names": ["quasi_exact_match"]}},
                {"class_name": "x.InstancesPerSplitMetric", "args": {}},
            ],
            "groups": ["mmlu"],
        },
        "per_instance_stats.json": entries,
        "scenario_state.json": {
            "adapter_spec": {"method": "generation", "model": "org/one"},
            "request_states": [_helm_state(entry) for entry in entries],
        },
        "stats.json": [],
    }


def _helm(name: str, split: str, trial: int, score: float, perturbation: str = "") -> dict:
    told = {"perturbation": {"name": perturbation, "robustness": True}} if perturbation else {}
    numbers = {
        "num_references": 2,
        "num_output_tokens": 1,
        "finish_reason_length": 0,
        "exact_match": score,
        "quasi_exact_match": score,
    }
    return {
        "instance_id": name,
        **told,
        "train_trial_index": trial,
        "stats": [
            {"name": {"name": "training_co2_cost", "split": split, **told}, "count": 0, "sum": 0},
            *(
                {"name": {"name": key, "split": split, **told}, "count": 1, "sum": value}
                | ({"mean": float(value)} if key != "exact_match" else {})
                for key, value in numbers.items()
            ),
        ],
    }


def _helm_state(entry: dict) -> dict:
    perturbation = entry.get("perturbation")
    told = {"perturbation": perturbation} if perturbation else {}
    text = f"What of {entry['instance_id']}?{' pls' if perturbation else ''}"
    return {
        "instance": {
            "input": {"text": text},
            "references": [{"output": {"text": "this"}, "tags": ["correct"]}],
            "id": entry["instance_id"],
            **told,
        },
        "train_trial_index": entry["train_trial_index"],
        "request": {"prompt": f"Question: {text}"},
        "result": {"completions": [{"text": " D"}], "request_datetime": 1762354922},
    }


def write_helm(folder: Path, files: dict[str, object]) -> Path:
    """A run folder."""
    for name, content in files.items():
        write_json(folder / name, content)
    return folder
