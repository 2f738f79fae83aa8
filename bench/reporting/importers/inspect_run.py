"""What the header of an Inspect log says: model, settings, provenance; and what is read at all.

Called by `bench.reporting.importers.inspect_log`.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from bench.reporting.importers.document import Document
from bench.reporting.results.schema import ModelEntry, Provenance
from bench.types import Json

READ = frozenset(
    {
        "version", "status", "eval.created", "eval.task", "eval.task_version",
        "eval.task_display_name", "eval.task_args", "eval.dataset.name", "eval.dataset.location",
        "eval.dataset.sample_ids", "eval.model", "eval.model_args.revision",
        "eval.model_generate_config.temperature", "eval.model_generate_config.top_p",
        "eval.model_generate_config.max_tokens", "eval.model_generate_config.seed",
        "eval.model_generate_config.stop_seqs", "eval.model_generate_config.system_message",
        "eval.config.limit", "eval.config.epochs", "eval.revision.commit", "eval.revision.origin",
        "eval.revision.dirty", "eval.packages", "eval.scorers", "plan.config.temperature",
        "plan.config.top_p", "plan.config.max_tokens", "plan.config.seed", "plan.config.stop_seqs",
        "plan.config.system_message", "results.headline.score", "results.scores",
        "results.total_samples", "results.completed_samples", "stats.started_at",
        "stats.completed_at", "samples.id", "samples.epoch", "samples.input", "samples.choices",
        "samples.target", "samples.scores.*.value", "samples.error.message",
        "samples.invalidation.reason", "samples.output.usage.output_tokens",
        "reductions",  # means over epochs, which the items give
    }
)  # fmt: skip
# Our name of a setting -> Inspect's.
SETTINGS: Mapping[str, str] = {
    "temperature": "temperature",
    "top_p": "top_p",
    "max_tokens": "max_tokens",
    "seed": "seed",
    "stops": "stop_seqs",
    "system": "system_message",
}


def model_of(header: Document) -> ModelEntry:
    """Who answered; Inspect knows of weights no more than the name, unless a revision was given."""
    told = header.inner("eval")
    revision = told.inner("model_args").content.get("revision")
    return ModelEntry(name=told.text("model"), revision=str(revision or "unstated"))


def settings_of(header: Document) -> dict[str, Json]:
    """Settings under the names that our own runs use; the plan's override the model's."""
    told = header.inner("eval")
    given = {
        **told.inner("model_generate_config").content,
        **header.inner("plan").inner("config").content,
    }
    found: dict[str, Json] = {
        ours: given[theirs] for ours, theirs in SETTINGS.items() if given.get(theirs) is not None
    }
    arguments = dict(told.inner("task_args").content)
    return {
        **found,
        "chat": True,
        "limit": told.inner("config").content.get("limit"),
        "epochs": told.inner("config").count("epochs", 1),
        **({"task_args": arguments} if arguments else {}),
    }


def provenance_of(header: Document, notes: tuple[str, ...]) -> Provenance:
    """How the numbers came about; a log that did not end well says so in a note too."""
    told, stats = header.inner("eval"), header.inner("stats")
    packages, revision = told.inner("packages"), told.inner("revision")
    tool = f"inspect_ai {packages.text('inspect_ai', '')}".strip()
    status = header.text("status")
    started = stats.text("started_at", "") or told.text("created")
    git = {key: revision.content.get(key) for key in ("origin", "commit", "dirty")}
    file = Path(header.where.split(": ")[0]).name
    return Provenance(
        tool=tool,
        scorer=tool,
        command=f"bench import inspect_log {file}",
        started=started,
        seconds=_seconds(started, stats.text("completed_at", "")),
        environment={name: str(version) for name, version in packages.content.items()},
        git={key: str(value) for key, value in git.items() if value is not None},
        notes=notes if status == "success" else (*notes, f"the log's status is {status}"),
    )


def _seconds(started: str, completed: str) -> float | None:
    try:
        passed = datetime.fromisoformat(completed) - datetime.fromisoformat(started)
    except (ValueError, TypeError):
        return None
    return max(0.0, passed.total_seconds())
