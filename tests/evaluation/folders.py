"""Small task folders, checkpoints and records for the tests of evaluation and the command line."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from bench.types import Json

Rows = Sequence[Mapping[str, Json]]

CAPITALS: dict[str, Json] = {
    "title": "Capitals",
    "kind": "qa",
    "language": "en",
    "version": 1,
    "source": {"licence": "CC0-1.0"},
    "data": {"files": {"shots": "shots.jsonl", "test": "test.jsonl"}},
    "splits": {"shots": "shots", "test": "test"},
    "id": "id",
    "prompt": "The capital of {{ country }} is",
    "answer": "capital",
    "generate": {"max_tokens": 6},
    "scorers": ["exact_match", "contains"],
}
CHOOSES: dict[str, Json] = {"generate": None, "choices": "options", "scorers": ["accuracy"]}
PAIRS = (
    "Japan Tokyo,Egypt Cairo,Peru Lima,Cuba Havana,Kenya Nairobi,Norway Oslo,France Paris,"
    "Greece Athens,Spain Madrid,Italy Rome,Ghana Accra,Nepal Kathmandu"
)


def capitals(prefix: str = "test") -> list[dict[str, Json]]:
    """`{"id": "test-0", "country": "Japan", "capital": "Tokyo", "options": ["Tokyo", "Paris"]}`."""
    rows: list[dict[str, Json]] = []
    for number, pair in enumerate(PAIRS.split(",")):
        country, capital = pair.split()
        options: list[Json] = [capital, "Paris" if capital != "Paris" else "London"]
        rows.append(
            {"id": f"{prefix}-{number}", "country": country, "capital": capital, "options": options}
        )
    return rows


def write_task(
    into: Path, name: str = "capitals", rows: Rows | None = None, code: str = "", **keys: Json
) -> Path:
    """The folder `into/name`; `keys` change task.yaml (None leaves one out), `code` is task.py."""
    folder = into / name
    folder.mkdir(parents=True, exist_ok=True)
    given = {key: value for key, value in {**CAPITALS, **keys}.items() if value is not None}
    (folder / "task.yaml").write_text(yaml.safe_dump(given, allow_unicode=True), "utf-8")
    write_jsonl(folder / "test.jsonl", capitals() if rows is None else rows)
    write_jsonl(folder / "shots.jsonl", capitals("shots")[::-1])
    if code:
        (folder / "task.py").write_text(code, "utf-8")
    return folder


def write_jsonl(path: Path, rows: Rows) -> None:
    """One JSON object a line."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def save_tiny_llama(folder: Path, reads_tokens: int = 256) -> Path:
    """A random two-layer Llama that reads `reads_tokens` tokens, with its tokenizer."""
    import transformers

    from tests.models import tiny

    settings = tiny.CONFIGS["llama"][1] | {"max_position_embeddings": reads_tokens}
    config = transformers.LlamaConfig(**settings, bos_token_id=0, eos_token_id=1)
    model = transformers.LlamaForCausalLM(config)
    tiny.widen(model, seed=0)
    model.generation_config.eos_token_id = 1  # a random model hardly ever stops by itself
    model.save_pretrained(folder)
    tiny.tokenizer(bos=True).save_pretrained(folder)
    return folder


def without_seconds(records: Path) -> list[dict[str, Json]]:
    """The records in a file, timings aside."""
    found = [json.loads(line) for line in records.read_text("utf-8").splitlines()]
    for record in found:
        record["reply"].pop("seconds")
    return found
