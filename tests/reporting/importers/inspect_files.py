"""A minimal log as inspect-ai 0.3.285 writes it (`--model mockllm/model`), as .json and .eval."""

import json
import zipfile
from pathlib import Path


def inspect_log() -> dict:
    """Two samples in two epochs, scored by `choice`, and by `two`, which gives two values."""
    samples = [
        _inspect("b", 1, "3 + 3 =", "I", {"length": 9, "style": 0.5}, passage="p2"),
        _inspect("a", 1, "2 + 2 =", "C", {"length": 1, "style": 1.0}, passage="p1"),
        _inspect("a", 2, "2 + 2 =", "P", {"length": 1, "style": True}, passage="p1"),
        _inspect("b", 2, "3 + 3 =", "N", {"length": 7, "style": "0.25"}, passage="p2"),
    ]
    return {
        "version": 2,
        "status": "success",
        "eval": {
            "run_id": "V3x6",
            "created": "2025-10-21T01:12:03+02:00",
            "task": "inspect_evals/sums",
            "task_version": 3,
            "task_display_name": "sums",
            "task_args": {"cot": True},
            "dataset": {"name": "sums", "samples": 9, "sample_ids": ["a", "b"], "shuffled": False},
            "model": "ollama/qwen2.5:0.5b",
            "model_generate_config": {"temperature": 1.0},
            "model_args": {},
            "config": {"limit": 2, "epochs": 2},
            "revision": {"type": "git", "origin": "git@x:evals", "commit": "36190055"},
            "packages": {"inspect_ai": "0.3.285"},
            "scorers": [
                {
                    "name": "choice",
                    "metrics": [{"name": "stderr", "options": {"cluster": "passage"}}],
                }
            ],
        },
        "plan": {"name": "plan", "config": {"temperature": 0.5, "max_tokens": 64}},
        "results": {"headline": {"score": "choice", "metric": "accuracy"}, "scores": []},
        "stats": {
            "started_at": "2025-10-21T01:12:04+02:00",
            "completed_at": "2025-10-21T01:12:16+02:00",
        },
        "samples": samples,
    }


def _inspect(name: str, epoch: int, question: str, value: str, two: dict, passage: str) -> dict:
    return {
        "id": name,
        "epoch": epoch,
        "input": question,
        "choices": ["4", "6"],
        "target": "A",
        "messages": [
            {"id": f"random-{name}{epoch}", "role": "user", "content": question},
            {"id": f"other-{name}{epoch}", "role": "assistant", "content": "ANSWER: A"},
        ],
        "output": {
            "completion": "ANSWER: A",
            "choices": [{"stop_reason": "stop" if epoch == 1 else "max_tokens"}],
            "usage": {"input_tokens": 134, "output_tokens": 20},
        },
        "scores": {
            "two": {"value": two},
            "choice": {"value": value, "answer": "A" if value != "N" else "", "explanation": "why"},
        },
        "metadata": {"passage": passage},
        "uuid": f"uuid-{name}{epoch}",
    }


def write_inspect_zip(path: Path, log: dict, compression: int = zipfile.ZIP_DEFLATED) -> Path:
    """The same log as an .eval file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = {key: value for key, value in log.items() if key != "samples"}
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("_journal/start.json", "{}")
        for sample in log["samples"]:
            name = f"samples/{sample['id']}_epoch_{sample['epoch']}.json"
            archive.writestr(name, json.dumps(sample))
        archive.writestr("header.json", json.dumps(header))
    return path
