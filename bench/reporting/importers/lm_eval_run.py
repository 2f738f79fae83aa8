"""What lm-eval's results_*.json says of the whole run: model, settings, provenance.

Called by `bench.reporting.importers.lm_eval`.

    settings_of(run, "gsm8k")    {"shots": 5, "seed": 1234, "chat": False, "temperature": 0.0, ...}
"""

from collections.abc import Mapping
from pathlib import Path

from bench.reporting.importers.document import Document
from bench.reporting.results.schema import ModelEntry, Provenance
from bench.types import Json

READ_RESULTS = frozenset(
    {
        "results", "groups", "group_subtasks", "versions", "n-shot", "higher_is_better",
        "n-samples", "configs.*.task", "configs.*.output_type", "configs.*.dataset_path",
        "configs.*.dataset_name", "configs.*.num_fewshot", "configs.*.metric_list",
        "configs.*.generation_kwargs.temperature", "configs.*.generation_kwargs.max_gen_toks",
        "configs.*.generation_kwargs.until", "config.model", "config.model_num_parameters",
        "config.model_dtype", "config.model_revision", "config.model_sha", "config.limit",
        "config.fewshot_seed", "model_name", "date", "lm_eval_version", "transformers_version",
        "git_hash", "system_instruction", "chat_template", "fewshot_as_multiturn",
    }
)  # fmt: skip


def model_of(run: Document) -> ModelEntry:
    """Who answered; weights without a digest or revision are "unstated"."""
    config = run.inner("config")
    revision = config.text("model_sha", "") or config.text("model_revision", "")
    parameters = config.count("model_num_parameters", 0)
    return ModelEntry(
        name=run.text("model_name"),
        revision=revision or "unstated",
        parameters=parameters or None,
    )


def settings_of(document: Document, task: str) -> dict[str, Json]:
    """Settings of `task` under the names that our own runs use."""
    run, config = document.inner("config"), document.inner("configs").inner(task)
    generation = config.inner("generation_kwargs")
    shots = document.inner("n-shot").count(task, config.count("num_fewshot", 0))
    limit = run.content.get("limit")
    found: dict[str, Json] = {
        "shots": shots,
        "seed": run.content.get("fewshot_seed"),
        "chat": bool(document.content.get("chat_template")),
        "system": document.text("system_instruction", ""),
        "limit": int(limit) if isinstance(limit, float) and limit.is_integer() else limit,
        "dtype": run.text("model_dtype", "").removeprefix("torch."),
        "backend": run.text("model", ""),
    }
    if document.content.get("fewshot_as_multiturn") is not None:
        found["shots_as"] = "turns" if document.content["fewshot_as_multiturn"] else "one turn"
    renamed = {"temperature": "temperature", "max_tokens": "max_gen_toks", "stops": "until"}
    return found | {
        ours: generation.content[theirs]
        for ours, theirs in renamed.items()
        if theirs in generation.content
    }


def provenance_of(run: Document, notes: tuple[str, ...]) -> Provenance:
    """How the numbers came about; `seconds` is not known of a single task."""
    tool = f"lm-evaluation-harness {run.text('lm_eval_version', '')}".strip()
    git: Mapping[str, str] = {"commit": run.text("git_hash", "")}
    environment = {"transformers": run.text("transformers_version", "")}
    return Provenance(
        tool=tool,
        scorer=tool,
        command=f"bench import lm_eval {Path(run.where).name}",
        started=run.moment("date"),
        environment={key: value for key, value in environment.items() if value},
        git={key: value for key, value in git.items() if value},
        notes=("every document is a cluster of its own: lm-eval knows of no others", *notes),
    )
