"""Judgments whose answer is known: who is better by how much, who is longer, what judges go by."""

import json
import math
from pathlib import Path
from random import Random

STRENGTH = {"base": -1.0, "sft": 0.0, "ppo": 0.8}
LENGTHS = {"base": 80, "sft": 100, "ppo": 180}


def judged_rows(
    prompts: int = 120,
    judges: tuple[str, ...] = ("ann",),
    first_bonus: float = 0.0,
    length_bonus: float = 0.0,
    strength: dict[str, float] = STRENGTH,
    same_mind: float = 0.0,
) -> list[dict]:
    """Every model against sft, on each prompt by each judge, as Bradley & Terry say.

    `first_bonus` and `length_bonus` (a hundred characters) are log-odds for the reply shown first
    and the longer one; `same_mind` is the share of prompts on which all judges decide alike.
    """
    random, rows = Random(7), []
    for prompt in range(prompts):
        for model in strength:
            if model == "sft":
                continue
            longer = random.gauss(LENGTHS[model] - LENGTHS["sft"], 60)
            together, shared = random.random() < same_mind, random.random()
            for judge in judges:
                first = random.choice([model, "sft"])
                odds = strength[model] - strength["sft"] + length_bonus * longer / 100
                odds += first_bonus * (1 if first == model else -1)
                won = (shared if together else random.random()) < 1 / (1 + math.exp(-odds))
                rows.append(
                    {
                        "prompt": f"question {prompt}",
                        "model": model,
                        "reference": "sft",
                        "winner": model if won else "sft",
                        "judge": judge,
                        "first": first,
                        "model_characters": max(1, round(200 + longer)),
                        "reference_characters": 200,
                        "stage": {"ppo": "ppo", "base": "base"}[model],
                    }
                )
    return rows


def write_lines(path: Path, rows: list[dict]) -> Path:
    """The rows as JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path
