"""What the tests of PPO, RLOO and GRPO train: a tiny policy, prompts, a judge, text to mix in."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from bench.models.hf import HuggingFace
from bench.models.options import ModelOptions
from bench.training.data.data_settings import Mix
from bench.training.data.encode import Entry, Material, Stream
from bench.training.data.writer import Writer
from bench.training.networks.layout import Document
from bench.training.networks.network import (
    Network,
    open_network,
    trained_parameters,
    with_adapter,
    with_head,
    without_adapter,
)
from bench.training.objectives.grouped import train_grouped
from bench.training.objectives.ppo import train_ppo
from bench.training.objectives.rollout import Rollouts, Team, roll_out
from bench.training.objectives.sampling import Sampled, sample
from bench.training.rewards.rewards import RewardFunction, Scored
from bench.training.settings import Grpo, Lora, Ppo, Reinforcement, Rloo
from bench.training.steps.log import LOG
from bench.training.steps.loop import Site
from bench.training.steps.outcome import Outcome
from bench.training.steps.processes import Processes
from bench.training.steps.watch import SilentWatcher
from bench.types import Generation, Json, Prompt, Turn
from tests.models import tiny

torch.set_num_threads(1)
CPU = torch.device("cpu")
ASKED = tuple(
    f"{who} {did}"
    for who in ("the cat", "the dog", "the question", "the other answer")
    for did in ("sat", "ran to the house", "is here", "on the mat and the dog")
)


class KilledError(Exception):
    """What ends a run early."""


class Killer(SilentWatcher):
    """Ends a run when update `at` is logged."""

    def __init__(self, at: int) -> None:
        self.at = at

    def step(self, step: int, metrics: Mapping[str, float]) -> None:
        if step == self.at:
            raise KilledError


@dataclass(frozen=True, slots=True)
class Scene:
    """All that a reinforcement stage is given."""

    team: Team
    value: Network
    prompts: Stream
    ptx: Stream


def share_of_even(ids: Sequence[int]) -> float | None:
    """What the judge likes: tokens with even ids."""
    return sum(token % 2 == 0 for token in ids) / len(ids)


def judge_by(worth: Callable[[Sequence[int]], float | None]) -> RewardFunction:
    def judge(entries: Sequence[Entry], replies: Sequence[Sequence[Sampled]]) -> Scored:
        totals = [[worth(reply.ids) for reply in group] for group in replies]
        reasons = [["" if total is not None else "cannot say" for total in row] for row in totals]
        return Scored(totals, {"liked": totals}, reasons)

    return judge


def scene(folder: Path, lora: Lora | None = None, judge: RewardFunction | None = None) -> Scene:
    """Networks from the tiny Llama in `folder`; with `lora` they share its weights."""
    options = ModelOptions(dtype="float32", device="cpu")
    model = HuggingFace(str(tiny.save("llama", folder)), options)
    policy = open_network(model.weights, CPU, torch.float32, lora, seed=1)
    reference = without_adapter(policy)
    if lora is None:
        value = open_network(model.weights, CPU, torch.float32, None, seed=1)
    else:
        value = with_adapter(policy, lora, "value", seed=2)
    value = with_head(value, seed=3)
    writer = Writer(model, "auto", "")
    team = Team(policy, reference, value, judge or judge_by(share_of_even), writer)
    return Scene(team, value, stream(writer, ()), stream(writer, ("on the mat", "the house")))


def stream(writer: Writer, replies: tuple[str, ...]) -> Stream:
    """Prompts of two sources, the last four held out; with one of `replies` each if there are."""
    entries = []
    for place, text in enumerate(ASKED):
        prompt = Prompt("ab"[place % 2], str(place), str(place), (Turn("user", text),), text, " ")
        made = (writer.reply(prompt, replies[place % len(replies)]),) if replies else ()
        entries.append(Entry(prompt, Document(prompt.source, writer.prompt(prompt), made)))
    rows = {"a": [], "b": []}
    for entry in entries[:-4]:
        rows[entry.prompt.source].append((entry,))
    material = Material(
        {label: tuple(row) for label, row in rows.items()},
        tuple(entries[-4:]),
        {"a": "1", "b": "2"},
    )
    return Stream(material, Mix(), seed=5)


def site(folder: Path, watcher: SilentWatcher | None = None, inputs: str = "same") -> Site:
    return Site("rl", "ppo", folder, 7, inputs, Processes(CPU), watcher or SilentWatcher())


def settings(kind: str, **changes: Json) -> Ppo | Rloo | Grpo:
    """A stage of few short replies, whose judge is given to it directly."""
    made: Mapping[str, Json] = {
        "kind": kind,
        "prompts": "p",
        "reward": [{"function": "judge.py:judge"}],
        "batch": 6,
        "max_reply": 6,
        "steps": 3,
        "missing_eos": None,
        "optimizer": {"lr": 1e-3, "schedule": "constant"},
    }
    kinds: Mapping[str, type[Reinforcement]] = {"ppo": Ppo, "rloo": Rloo, "grpo": Grpo}
    return kinds[kind].model_validate({**made, **changes})


def train(scene: Scene, chosen: Ppo | Rloo | Grpo, place: Site) -> Outcome:
    """The stage that `chosen` describes."""
    team, ptx = scene.team, scene.ptx if chosen.ptx else None
    networks, rest = (team.policy, team.reference), (team.reward, team.writer, scene.prompts, ptx)
    if isinstance(chosen, Ppo):
        return train_ppo(chosen, place, *networks, scene.value, *rest)
    return train_grouped(chosen, place, *networks, *rest)


def rollouts_of(
    scene: Scene, chosen: Ppo | Rloo | Grpo, place: Site, moment: Json = 0, count: int = 6
) -> Rollouts:
    """One batch, with values, of the first prompts."""
    team = Team(
        scene.team.policy, scene.team.reference, scene.value, scene.team.reward, scene.team.writer
    )
    return roll_out(team, chosen, place, scene.prompts.take(0, count), moment, chosen.group)


def held_out_rewards(scene: Scene, draws: int = 64) -> torch.Tensor:
    """What `share_of_even` gives for `draws` replies to each held-out prompt, always by the same
    seeds."""
    entries, seeds = scene.prompts.material.held_out, list(range(1000, 1000 + draws))
    prompts = [entry.document.prompt for entry in entries for _ in seeds]
    how, team = Generation(6, temperature=1.0), scene.team
    drawn = sample(team.policy, team.writer, prompts, seeds * len(entries), how, 4096)
    return torch.tensor([share_of_even(reply.ids) for reply in drawn])


def assert_better(after: torch.Tensor, before: torch.Tensor, by: float) -> None:
    """The mean paired difference is more than `by`, and certain."""
    change = after - before
    assert float(change.mean()) > by
    assert float(change.mean()) > 4 * float(change.std()) / len(change) ** 0.5


def log_of(folder: Path) -> list[dict[str, float]]:
    """The lines of the log, without the time they took."""
    lines = [json.loads(text) for text in (folder / LOG).read_text().splitlines()]
    return [{name: v for name, v in line.items() if name != "seconds"} for line in lines]


def gradients_of(network: Network) -> dict[str, torch.Tensor]:
    """The gradients that have gathered, by name; they are cleared."""
    found = {}
    for name, parameter in trained_parameters(network).items():
        if parameter.grad is not None:
            found[name] = parameter.grad.clone()
            parameter.grad = None
    return found


def weights_of(network: Network) -> dict[str, torch.Tensor]:
    """The weights that are trained, by name."""
    return {name: value.detach().clone() for name, value in trained_parameters(network).items()}


def assert_same_gradients(
    one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor], tolerance: float = 1e-6
) -> None:
    """Equal to `tolerance` times the largest gradient."""
    assert one.keys() == other.keys()
    assert one
    scale = max(float(value.abs().max()) for value in one.values())
    for name, value in one.items():
        assert float((value - other[name]).abs().max()) <= tolerance * scale, name
