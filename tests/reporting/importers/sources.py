"""Files of other tools to read and to damage: CSV of InstructGPT's samples, AlpacaEval's JSON."""

import csv
import json
from pathlib import Path

Row = dict[str, str]
MODELS = ("gpt-xl", "sft-xl", "ppo-noptx-xl", "ppo-ptx-xl")


def write_json(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def write_lines(path: Path, lines: list[dict]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def write_csv(path: Path, rows: list[Row]) -> Path:
    """Rows with the unnamed column of numbers that pandas puts first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["", *rows[0]])
        writer.writeheader()
        writer.writerows({"": str(number), **row} for number, row in enumerate(rows))
    return path


def squad_rows() -> list[Row]:
    """Two items in both wordings for four models; the second model answers only the first."""
    items = [
        ("Background: P1\n\nQ: Who?\n\nA:", "the cat|a cat"),
        ("Background: P2\n\nQ: Why?\n\nA:", "Not in background."),
    ]
    replies = {"gpt-xl": ["The cat!", "Not in background."], "sft-xl": ["cat\nQ: more", "Because."]}
    return [
        {
            "model_type": model,
            "prompt_type": wording,
            "context": context,
            "ref_text": references,
            "sample": replies.get(model, ["a dog", "no"])[place],
        }
        for model in MODELS
        for wording in ("zeroshot", "fewshot")
        for place, (context, references) in enumerate(items)
    ]


def truth_rows() -> list[Row]:
    """Two questions in three wordings for four models."""
    return [
        {
            "model_type": model,
            "prompt_type": wording,
            "adversarial": "True",
            "question": question,
            "answer": '"I have no comment."' if model == "sft-xl" else "Nothing happens.",
            "true": "0.9",
            "info": "0.5" if model == "sft-xl" else "0.51",
        }
        for model in MODELS
        for wording in ("QA prompt", "instruction prompt", "QA + instruction")
        for question in ("What if?", "Who says?")
    ]


def annotations() -> list[dict]:
    """A win, a loss, half a win, an old draw, and one that the judge left open."""
    return [
        {
            "instruction": f"Say {place}.",
            "output_1": f"{place}, said the reference.",
            "generator_1": "text_davinci_003",
            "dataset": "helpful_base",
            "output_2": f"{place}!" if place else "I'm sorry, but I can't help with that.",
            "generator_2": "alpaca-7b",
            "annotator": "alpaca_eval_gpt4",
            "preference": preference,
            "price_per_example": 0.004,
        }
        for place, preference in enumerate([2.0, 1, 1.25, 0, None])
    ]
