"""Runs the stages of a recipe in order: what is unchanged is kept, what was killed goes on.

    checkpoints/demo/sft/       a checkpoint: weights, tokenizer, bench.json
                        log.jsonl, tensorboard/, training/data.json, training/recipe.json
                        last-good/, the checkpoint of a run that went astray
    checkpoints/demo/ranked/    rankings.jsonl, stage.json
    checkpoints/demo/aside/     folders that bench cannot tell

A stage depends on its settings, the digests of its parents and data, the seed and the arithmetic.
Their digest stands in its card; where it is the same and the weights are what the card says, the
stage is not trained again. Where a card is damaged the folder is put aside, and it is.
"""

import shlex
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from bench.cards import SCHEMA_VERSION, read_card, write_card
from bench.environment import environment, git_state, peak_memory_bytes
from bench.errors import ModelError
from bench.models.weights import find_weights
from bench.store import write_atomic
from bench.training.aside import put_unknown_aside
from bench.training.inputs import inputs_digest
from bench.training.ranking.rank_stage import run_rank
from bench.training.recipe import policy_names, reward_names
from bench.training.runners import run_dpo, run_grouped, run_ppo, run_reward, run_sft
from bench.training.settings import Dpo, Grpo, Ppo, Rank, Reward, Rloo, Sft, StageSettings
from bench.training.stage_file import rankings_digest, read_stage_file, write_stage_file
from bench.training.stale import stale_parents
from bench.training.steps.last_good import last_good_folder
from bench.training.steps.loop import Site
from bench.training.steps.outcome import Outcome
from bench.training.steps.state import BEFORE, STATE, WORK, load_facts
from bench.training.workshop import Workshop
from bench.types import Card, Parent, Stage

TrainedSettings = Sft | Reward | Dpo | Ppo | Rloo | Grpo


@dataclass(frozen=True, slots=True)
class FinishedStage:
    """A stage, its folder, whether it was run just now, and what it measured on held-out rows."""

    name: str
    kind: str
    folder: Path
    ran: bool
    metrics: dict[str, float]


def run_stages(
    workshop: Workshop, only: Sequence[str] = (), fresh: bool = False
) -> list[FinishedStage]:
    """Run the stages of the recipe, or `only` some; `fresh` forgets saved states.

    Raises:
        BenchError: a stage cannot be run; those before it are complete.
    """
    stages = workshop.recipe.stages.items()
    chosen = {name: stage for name, stage in stages if not only or name in only}
    return [_run(workshop, name, stage, fresh) for name, stage in chosen.items()]


def _run(workshop: Workshop, name: str, stage: StageSettings, fresh: bool) -> FinishedStage:
    folder = workshop.folder(name)
    put_unknown_aside(workshop, name)
    parents = _parents(workshop, stage)
    inputs = inputs_digest(workshop, stage, parents)
    if not fresh and _is_done(folder, stage, inputs):
        workshop.watcher.note(f"{name}: unchanged, kept {folder}")
        return _finished(name, stage, folder, ran=False)
    for said in stale_parents(workshop, stage):
        workshop.watcher.note(f"{name}: {said}")
    if fresh and workshop.processes.main:
        shutil.rmtree(folder / WORK, ignore_errors=True)
    workshop.processes.wait()
    site = Site(
        name=name,
        kind=stage.kind,
        folder=folder,
        seed=workshop.recipe.seed,
        inputs=inputs,
        processes=workshop.processes,
        watcher=workshop.watcher,
    )
    if isinstance(stage, Rank):
        told = run_rank(workshop, stage, site)
        if workshop.processes.main:
            write_stage_file(folder, inputs, told)
    else:
        _train_with_card(workshop, stage, site, parents)
    workshop.processes.wait()
    return _finished(name, stage, folder, ran=True)


def _train_with_card(
    workshop: Workshop, stage: TrainedSettings, site: Site, parents: tuple[Parent, ...]
) -> None:
    """Train the stage and write the card of its checkpoint.

    Raises:
        RunError: it went astray; its last good state, if there is one, has a card.
    """
    started, before = time.perf_counter(), _seconds_before(site)
    outcome = _train(workshop, stage, site)
    if workshop.processes.main:
        whole = outcome.error is None
        folder = site.folder if whole else last_good_folder(site, stage.from_)
        seconds = before + time.perf_counter() - started
        _write_recipe(workshop, folder)
        write_card(folder, _card(workshop, site, stage, parents, outcome, folder, seconds))
        if whole:
            _clear(folder)
    workshop.processes.wait()  # a process that ends with an error takes the others with it
    if outcome.error is not None:
        raise outcome.error


def _finished(name: str, stage: StageSettings, folder: Path, ran: bool) -> FinishedStage:
    if isinstance(stage, Rank):
        told = read_stage_file(folder)
        return FinishedStage(name, stage.kind, folder, ran, told.metrics if told else {})
    card = read_card(folder)
    return FinishedStage(name, stage.kind, folder, ran, card.metrics if card else {})


def _seconds_before(site: Site) -> float:
    """What the runs took that led to the saved state which the stage goes on from."""
    facts = load_facts(site.folder / WORK / STATE) or load_facts(site.folder / WORK / BEFORE)
    return float(str(facts["seconds"])) if facts.get("inputs") == site.inputs else 0.0


def _train(workshop: Workshop, stage: TrainedSettings, site: Site) -> Outcome:
    match stage:
        case Sft():
            return run_sft(workshop, stage, site)
        case Reward():
            return run_reward(workshop, stage, site)
        case Dpo():
            return run_dpo(workshop, stage, site)
        case Ppo():
            return run_ppo(workshop, stage, site)
        case Rloo() | Grpo():
            return run_grouped(workshop, stage, site)


def _parents(workshop: Workshop, stage: StageSettings) -> tuple[Parent, ...]:
    """What the stage starts from, then what judges it.

    Raises:
        ModelError: one cannot be found.
    """
    policies = dict.fromkeys(name for _, name in policy_names(stage))
    rewards = dict.fromkeys(name for _, name in reward_names(stage))
    return (
        *(_parent(workshop, "policy", name) for name in policies),
        *(_parent(workshop, "reward", name) for name in rewards),
    )


def _parent(workshop: Workshop, role: Literal["policy", "reward"], name: str) -> Parent:
    weights = workshop.weights(name)
    card = read_card(weights.folder)
    if card is not None and role == "policy" and card.stage == "rm":
        raise ModelError(
            f"{weights.folder}: is a reward model, expected a language model", "name its parent"
        )
    beside = name in workshop.recipe.stages  # all stages of a recipe can be moved together
    return Parent(
        role=role,
        name=card.name if card else weights.name,
        stage=card.stage if card else "base",
        folder=f"../{name}" if beside else str(weights.folder.resolve()),
        digest=weights.digest,
    )


def _is_done(folder: Path, stage: StageSettings, inputs: str) -> bool:
    """Whether the folder holds what these inputs give."""
    if isinstance(stage, Rank):
        told = read_stage_file(folder)
        return told is not None and (told.inputs_digest, told.rankings_digest) == (
            inputs,
            rankings_digest(folder),
        )
    card = read_card(folder)
    if card is None or card.inputs_digest != inputs:
        return False
    try:
        return find_weights(str(folder)).digest == card.digest
    except ModelError:
        return False


def _card(
    workshop: Workshop,
    site: Site,
    stage: TrainedSettings,
    parents: tuple[Parent, ...],
    outcome: Outcome,
    folder: Path,
    seconds: float,
) -> Card:
    """The card of the checkpoint in `folder`, which is the stage's or lies below it."""
    below = folder.relative_to(site.folder).parts
    return Card(
        schema_version=SCHEMA_VERSION,
        name="-".join((site.name, *below)),
        stage=stage_of(stage),
        digest=find_weights(str(folder)).digest,
        inputs_digest=site.inputs,
        parents=tuple(_seen_from_below(parent, len(below)) for parent in parents),
        recipe=workshop.loaded.name,
        settings=stage.model_dump(mode="json", by_alias=True),
        data=outcome.data,
        steps=outcome.steps,
        tokens=outcome.tokens,
        seed=site.seed,
        seconds=round(seconds, 3),
        peak_memory_bytes=peak_memory_bytes(),
        metrics=outcome.metrics,
        command=shlex.join(sys.argv),
        environment=environment(),
        git=git_state(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _seen_from_below(parent: Parent, depth: int) -> Parent:
    """`parent` for a card that lies `depth` folders below the stage's."""
    absolute = Path(parent.folder).is_absolute()
    return parent if absolute else replace(parent, folder="../" * depth + parent.folder)


def stage_of(settings: StageSettings) -> Stage:
    """What a card calls the result of a stage."""
    match settings:
        case Sft():
            return "sft"
        case Reward():
            return "rm"
        case Dpo():
            return "dpo"
        case Ppo():
            return "ppo_ptx" if settings.ptx is not None and settings.ptx.gamma > 0 else "ppo"
        case Rloo():
            return "rloo"
        case Grpo():
            return "grpo"
        case Rank():
            raise AssertionError("a rank stage leaves no checkpoint")


def _write_recipe(workshop: Workshop, folder: Path) -> None:
    """The recipe as it was given, overrides included: base, data and all stages. How a stage that
    was not run with it came about, its own card says."""
    text = workshop.recipe.model_dump_json(by_alias=True, indent=2) + "\n"
    write_atomic(folder / WORK / "recipe.json", text.encode())


def _clear(folder: Path) -> None:
    """The checkpoint is complete: what a killed run would have gone on from is not needed."""
    for path in (folder / WORK).glob("*.safetensors"):
        path.unlink()
