"""`bench ablate` on a tiny model: what is trained once, what a page says, what is kept."""

import json
from pathlib import Path

import pytest

from bench.ablate import Study, ablate
from bench.cards import read_card
from bench.errors import UsageError
from bench.evaluation.plan import Settings
from bench.models.weights import find_weights
from bench.registry.folder import select
from bench.training.recipe import load_recipe
from bench.training.steps.watch import SilentWatcher
from tests.models import tiny
from tests.training.recipes import STAGES, World, call, make_world

PTX = {**STAGES["ppo"], "from": "sft", "reward": [{"scorer": "headline"}], "steps": 2}


class Counting(SilentWatcher):
    """Remembers which stages began."""

    def __init__(self) -> None:
        self.begun: list[str] = []

    def begin(self, stage: str, kind: str, total: int, done: int) -> None:
        self.begun.append(stage)


class Quiet:
    """Shows no progress of an evaluation."""

    def start(self, task: str, total: int, known: int) -> None:
        """Nothing."""

    def advance(self) -> None:
        """Nothing."""

    def finish(self, task: str) -> None:
        """Nothing."""


def study(world: World, key: str, *values: float) -> tuple[Path, list[str]]:
    """The page, and the stages that were trained for it."""
    watcher, folders = Counting(), [world.folder / "tasks"]
    page = ablate(
        load_recipe(str(world.recipe)),
        Study("ppo", key, values),
        select(["lands"], folders),
        Settings(limit=3),
        world.output,
        watcher,
        Quiet(),
        folders,
    )
    return page, watcher.begun


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> tuple[World, Path, list[str]]:
    """An ablation of gamma, its page, and what was trained for it; tests only look at it."""
    world = make_world(tmp_path_factory.mktemp("done"), ["sft", "ppo"], True, STAGES | {"ppo": PTX})
    return world, *study(world, "ptx.gamma", 2.5, 0)


def test_the_stages_above_are_trained_once(done):
    assert done[2] == ["sft", "ppo-gamma-2.5", "ppo-gamma-0"]


def test_each_variant_is_a_checkpoint_of_its_own(done):
    world, *_ = done
    cards = [read_card(world.output / f"ppo-gamma-{value}") for value in ("0", "2.5")]
    assert [card.stage for card in cards if card] == ["ppo", "ppo_ptx"]
    assert len({card.digest for card in cards if card}) == 2
    assert len({card.parents[0].digest for card in cards if card}) == 1


def test_the_page_and_its_tables_hold_what_was_measured(done):
    world, page, _ = done
    assert page == world.output / "ablation.html"
    assert "Ablation of ptx.gamma" in page.read_text("utf-8")
    told = json.loads((world.output / "ablation.json").read_text("utf-8"))
    assert told["axis"] == "ptx.gamma"
    assert [(point["value"], point["name"]) for point in told["points"]] == [
        (None, "sft"),
        (0, "ppo-gamma-0"),
        (2.5, "ppo-gamma-2.5"),
    ]
    before, *points = told["points"]
    assert before["reward"] is None
    for point in points:
        card = read_card(world.output / point["name"])
        assert card is not None
        assert point["reward"] == pytest.approx(card.metrics["held_out/reward"])
        assert point["kl"] == pytest.approx(card.metrics["held_out/kl"])
        assert {cell["task"] for cell in point["cells"]} == {"lands"}
        assert 0 <= point["capability"]["estimate"] <= 1


def test_a_second_run_trains_and_asks_nothing(done):
    world, page, _ = done
    before = page.read_bytes()
    again, begun = study(world, "ptx.gamma", 2.5, 0)
    runs = [json.loads(path.read_text()) for path in world.output.glob("runs/*/run.json")]
    assert begun == []
    assert again.read_bytes() == before
    assert {run["asked"] for run in runs} == {0}


def test_a_value_more_trains_one_variant_more(done):
    world, *_ = done
    _, begun = study(world, "ptx.gamma", 0, 1, 2.5)
    assert begun == ["ppo-gamma-1"]


def test_what_the_variants_start_from_may_be_a_folder_with_base_in_its_name(tmp_path):
    tiny.save("llama", tmp_path / "my-base", chat=True, pad="own")
    ptx = {**PTX, "from": str(tmp_path / "my-base")}
    world = make_world(tmp_path, ["ppo"], True, {"ppo": ptx})
    page, begun = study(world, "steps", 1, 2)
    assert begun == ["ppo-steps-1", "ppo-steps-2"]
    first = json.loads(page.with_suffix(".json").read_text())["points"][0]
    assert first["name"] == str(tmp_path / "my-base")
    runs = [json.loads(path.read_text()) for path in world.output.glob("runs/*/run.json")]
    assert f"{find_weights(first['name']).digest}-float32" in {run["model_digest"] for run in runs}


def test_the_command_prints_the_table_and_says_where_the_page_is(tmp_path, capsys):
    world = make_world(tmp_path, ["ppo"], True, {"ppo": {**PTX, "from": "base"}})
    options = f"-t lands --limit 2 -o {world.output} --tasks {tmp_path / 'tasks'}"
    code = call(f"ablate {world.recipe} --stage ppo --over kl --values 0,0.5 {options}")
    out, err = capsys.readouterr()
    assert code == 0
    assert "# Ablation of kl" in out
    assert "ppo-kl-0.5" in out
    assert f"wrote {world.output / 'recipe-kl' / 'ablation.html'}" in err


@pytest.mark.parametrize("values", [(), (1.0,), (2.0, 2.0)])
def test_one_value_is_no_ablation(values):
    with pytest.raises(UsageError, match="two or more different numbers"):
        Study("ppo", "ptx.gamma", values)
