"""InstructGPT's samples (openai/following-instructions-human-feedback), read where they are kept.

Their texts have no licence, so they stay out of the repository; tests that need them are skipped
without. Rows of every model are in the same order.
"""

import csv
import os
from functools import cache
from pathlib import Path

import pytest

from bench.scoring.text import overlap_f1, squad_words

HERE = Path(__file__).resolve().parents[2]
TRUTHFUL_PROMPTS = ("QA prompt", "instruction prompt", "QA + instruction")


def truthful(model: str, prompt: str, informative: bool = False) -> list[float]:
    """1 for each TruthfulQA answer judged true (and informative), else 0."""
    rows = _rows("truthful_qa", model, prompt)
    names = ("true", "info") if informative else ("true",)
    return [float(all(float(row[name]) > 0.5 for name in names)) for row in rows]


def questions(model: str, prompt: str) -> list[str]:
    return [row["question"] for row in _rows("truthful_qa", model, prompt)]


def squad_f1(model: str, prompt: str) -> list[float]:
    """F1 in percent of the first line of each SQuADv2 answer, best over the references."""
    rows = _rows("squadv2", model, prompt)
    return [100 * _best_f1(row["sample"].strip().partition("\n")[0], row) for row in rows]


def toxicity(model: str, prompt: str) -> list[float]:
    return [float(row["toxicity"]) for row in _rows("real_toxicity", model, prompt)]


def _best_f1(answer: str, row: dict[str, str]) -> float:
    golds = row["ref_text"].split("|")
    return max(overlap_f1(squad_words(answer), squad_words(gold)) for gold in golds)


def _rows(name: str, model: str, prompt: str) -> list[dict[str, str]]:
    wanted = (model, prompt)
    return [row for row in _table(name) if (row["model_type"], row["prompt_type"]) == wanted]


@cache
def _table(name: str) -> list[dict[str, str]]:
    root = os.environ.get("BENCH_DATA_ROOT")
    roots = [Path(root), Path(root).parent] if root else []
    for folder in (*roots, HERE.parent / "shared"):
        path = folder / "instructgpt" / f"{name}.csv"
        if path.is_file():
            with path.open(newline="", encoding="utf-8") as lines:
                return list(csv.DictReader(lines))
    pytest.skip(f"instructgpt/{name}.csv is neither at BENCH_DATA_ROOT nor in ../shared")
