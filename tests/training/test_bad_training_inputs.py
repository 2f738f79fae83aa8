"""Bad inputs of training: each exits 1 with one line of cause, one of remedy, and no traceback.

The table holds what is changed in a small world whose recipe was run once, the command, and what
cause and remedy say. `TRAIN` runs the recipe there.
"""
# ruff: noqa: E501  # a table is read by line

import json
import re
import shlex
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import transformers as hf

from bench.cards import read_card
from bench.training.steps.state import STATE, WORK
from tests.evaluation.folders import write_jsonl, write_task
from tests.models import tiny
from tests.test_bad_inputs import assert_well_said, call
from tests.training.recipes import World, make_world, write_recipe
from tests.training.values import full_disk

Prepare = Callable[[Path], object]
TRAIN = "train recipe.yaml -o out --tasks tasks"
RANK = "rank base -o r --tasks tasks --scorer headline"


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> World:
    """Which the tests copy."""
    made = make_world(
        tmp_path_factory.mktemp("trained"), ["sft", "ranked", "rm", "dpo", "ppo"], True
    )
    made = replace(made, output=made.folder / "out")
    write_recipe(made)
    made.train()
    return made


@pytest.fixture
def home(trained, tmp_path, monkeypatch) -> Path:
    """A copy of that world, where commands are given."""
    for name in ("BENCH_TASKS", "BENCH_DATA_ROOT"):
        monkeypatch.delenv(name, raising=False)
    shutil.copytree(trained.folder, tmp_path / "home")
    monkeypatch.chdir(tmp_path / "home")
    write_recipe(replace(trained, folder=Path()))
    return Path()


def changed(*settings: str, only: str = "") -> str:
    """The command with other settings."""
    given = [f"--set {shlex.quote(setting)}" for setting in settings]
    return " ".join([TRAIN, *given, *([f"--only {only}"] if only else [])])


def nothing(home: Path) -> None:
    """The world is as it should be."""


def gone(*names: str) -> Prepare:
    return lambda home: [shutil.rmtree(home / "out/recipe" / name) for name in names]


def rows(*lines: dict[str, object]) -> Prepare:
    """The file rows.jsonl."""
    return lambda home: write_jsonl(home / "rows.jsonl", lines)


def written(file: str, content: str) -> Prepare:
    return lambda home: (home / file).write_text(content)


def cut(file: str) -> Prepare:
    """Its second half is lost."""

    def prepare(home: Path) -> None:
        path = home / file
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    return prepare


def model(family: str, **variant: bool | str) -> Prepare:
    """The checkpoint other."""
    return lambda home: tiny.save(family, home / "other", **variant)


def words_swapped(home: Path) -> None:
    """The checkpoint other: the reward model, which reads two ids the other way round."""
    shutil.copytree(home / "out/recipe/rm", home / "other")
    path = home / "other/tokenizer.json"
    content = json.loads(path.read_text())
    known = content["model"]["vocab"]
    known["!"], known["#"] = known["#"], known["!"]
    path.write_text(json.dumps(content))


def endless_rows(home: Path) -> None:
    rows(
        *({"prompt": f"{n} " + "the cat sat on the mat " * 80, "completion": "x"} for n in range(4))
    )(home)


FILE = "data.tasks.sources=[{file: rows.jsonl}]"
FROM_FILE = changed(FILE, only="sft")
RANKED_BY_HAND = changed(FILE, "stages.dpo.rankings=tasks", only="dpo")
RANKED = {"prompt": "a", "completions": ["x", "y"], "ranks": [1, 2]}
TABLE = [
    # The recipe
    ("unknown recipe", nothing, "train dmeo", "no recipe 'dmeo': not a file, not packaged", "did you mean demo"),
    ("recipe that is no YAML", written("recipe.yaml", "base: [x"), TRAIN, r"recipe.yaml:\d+: not readable as YAML", "mend the line"),
    ("recipe without stages", written("recipe.yaml", "base: base"), TRAIN, "recipe.yaml: stages: missing", "add the key stages"),
    ("unknown key", nothing, TRAIN + " --set stages.sft.epoch=2", "stages.sft.epoch: unknown key", "did you mean epochs"),
    ("unknown stage in --set", nothing, TRAIN + " --set stages.sfft.steps=2", "stages has no 'sfft'", "did you mean sft"),
    ("unknown stage in --only", nothing, TRAIN + " --only pop", "--only pop: no such stage", "did you mean ppo"),
    ("unknown data", nothing, TRAIN + " --set stages.sft.data=task", "stages.sft.data: no data is named 'task'", "did you mean tasks"),
    ("unknown parent", nothing, TRAIN + " --set stages.dpo.from=sfft", "stages.dpo.from: 'sfft' is no stage", "did you mean sft"),
    ("--set without a value", nothing, TRAIN + " --set stages.sft.steps", "--set stages.sft.steps: expected KEY.PATH=VALUE", "such as --set"),
    ("value of the wrong kind", nothing, TRAIN + " --set stages.sft.steps=many", "stages.sft.steps: found 'many': expected a whole number", "."),
    ("value out of bounds", nothing, TRAIN + " --set stages.ppo.lam=2", "stages.ppo.lam: found 2", "."),
    ("curves of nothing", nothing, "train recipe.yaml -o nowhere --plot", "nowhere/recipe: no log.jsonl", "bench train"),
    # Data
    ("task without a train split", lambda home: write_task(home / "tasks"), changed("data.tasks.sources.0.task=capitals"), "task 'capitals' has no train split", "name one of .*lands"),
    ("unknown task", nothing, changed("data.tasks.sources.0.task=land"), "no task or suite is named 'land'", "did you mean lands"),
    ("file missing", nothing, FROM_FILE, "rows.jsonl: no such data file", "."),
    ("file empty", rows(), FROM_FILE, "source 'rows' holds no rows", "add rows"),
    ("all rows dropped", rows({"prompt": "mail a@b.org", "completion": "x"}), changed(FILE, "data.tasks.clean.pii=contacts", only="sft"), "data 'tasks': no row is left to learn", "loosen clean"),
    ("no row can be read", rows({"prompt": "", "completion": ""}), FROM_FILE, "source 'rows': none of 1 rows can be read", "mend the rows"),
    ("columns unknown", rows({"q": "x", "a": "y"}), FROM_FILE, "source 'rows': the columns a, q have no known shape", "rename them"),
    ("demonstrations as rankings", nothing, TRAIN + " --set stages.dpo.rankings=tasks --only dpo", "data 'tasks' holds demonstrations, expected rankings", "chosen"),
    ("rankings as demonstrations", rows(RANKED), FROM_FILE, "data 'tasks' holds rankings, expected demonstrations", "prompt"),
    ("ranks of another length", rows({**RANKED, "ranks": [1]}), RANKED_BY_HAND, "ranks: found 1 for 2 completions", "mend the rows"),
    ("a rank of no completion", rows({**RANKED, "ranks": {"x": 1, "y": 2, "z": 3}}), RANKED_BY_HAND, "ranks: found 'z', expected one of the 2 completions", "mend the rows"),
    ("rank 0", rows({**RANKED, "ranks": [0, 1]}), RANKED_BY_HAND, "ranks: found 0, expected whole numbers", "mend the rows"),
    ("one completion under two ranks", rows({**RANKED, "completions": ["x", "x"]}), RANKED_BY_HAND, "ranks: 'x' has both rank 1 and 2", "mend the rows"),
    ("every prompt too long", endless_rows, changed(FILE, "stages.sft.max_prompt=16", "data.tasks.holdout.share=0", only="sft"), "none of 4 rows has a prompt of at most 16", "raise max_prompt"),
    ("nothing held out to select by", nothing, TRAIN + " --set data.tasks.holdout.share=0 --only sft", "stages.sft.select.by: found 'loss', but no row is held out", "raise holdout.share"),
    # Parents
    ("parent not trained", gone("sft"), TRAIN + " --only dpo", "out/recipe/sft: stage 'sft' has not been trained there", "bench train recipe.yaml -o out --only sft"),
    ("rankings not made", gone("ranked"), TRAIN + " --only dpo", "ranked/rankings.jsonl: stage 'ranked' has not been run there", "bench train recipe.yaml -o out --only ranked"),
    ("reward model not trained", gone("rm"), TRAIN + " --only ppo", "out/recipe/rm: stage 'rm' has not been trained there", "--only rm"),
    ("parent without weights", lambda home: (home / "out/recipe/sft/model.safetensors").unlink(), TRAIN + " --only dpo", r"sft: holds no model\*.safetensors", "restore the weights"),
    ("base gone", lambda home: shutil.rmtree(home / "base"), TRAIN, "no model is named 'base'", "known"),
    ("damaged card of a parent", cut("out/recipe/sft/bench.json"), TRAIN + " --only dpo", "out/recipe/sft/bench.json: file: Invalid JSON", "train the checkpoint again, or move the card away"),
    ("damaged state", lambda home: (gone("dpo")(home), (home / "out/recipe/dpo" / WORK).mkdir(parents=True), (home / "out/recipe/dpo" / WORK / STATE).write_bytes(b"\x10" * 99)), TRAIN, "training/state.safetensors: damaged", "remove the folder out/recipe/dpo/training"),
    ("reward model as a parent", nothing, TRAIN + " --set stages.dpo.from=out/recipe/rm --only dpo", "rm: is a reward model, expected a language model", "name its parent"),
    ("reward that is no reward model", nothing, TRAIN + " --set stages.ppo.reward.0.model=out/recipe/sft --only ppo", r"sft: is no reward model: .*LlamaForCausalLM.*with 2 labels", "kind reward"),
    ("reward model with other words", words_swapped, TRAIN + " --set stages.ppo.reward.0.model=./other --only ppo", "./other: its tokenizer has 320 words, that of out/recipe/sft 320, and they differ .'[!#]' for one", "trained from the same base"),
    ("reward model asked otherwise", nothing, TRAIN + " --set stages.ppo.chat=off --only ppo", "out/recipe/rm: was trained on prompts and replies that read '.* where out/recipe/sft writes '", "the same chat and system"),
    # Judges
    ("function file missing", nothing, changed("stages.ppo.reward=[{function: gone.py:judge}]", only="ppo"), "gone.py: no such file", "put it there"),
    ("function not there", written("mine.py", "def judge(prompt, reply):\n    return 1\n"), changed("stages.ppo.reward=[{function: mine.py:jugde}]", only="ppo"), "mine.py: has no function 'jugde'", "did you mean judge"),
    ("function that fails", written("mine.py", "def judge(prompt, reply):\n    return 1 / 0\n"), changed("stages.ppo.reward=[{function: mine.py:judge}]", only="ppo"), "fails for each of .* replies, the first time with ZeroDivisionError", "mend mine.py:judge"),
    ("function that returns text", written("mine.py", "def judge(prompt, reply):\n    return 'good'\n"), changed("stages.ppo.reward=[{function: mine.py:judge}]", only="ppo"), "it returned 'good', expected a number", "mend mine.py:judge"),
    ("scorer that the task has not", nothing, changed("stages.ppo.reward=[{scorer: exact_match}]", only="ppo"), "tasks/lands/task.yaml: scorers: a reward names 'exact_match', the task has score", "known: headline, score"),
    ("two terms of one name", nothing, changed("stages.ppo.reward=[{scorer: score}, {scorer: score}]", only="ppo"), "two terms are called 'score'", "keep one"),
    ("scorer of plain data", rows(*({"prompt": f"{n}", "completion": "x"} for n in range(9))), changed(FILE, "stages.ppo.reward=[{scorer: headline}]", only="ppo"), "none of the 4 replies of rollout batch 1 could be scored.*belongs to no task", "stages.ppo.reward"),
    # Models
    ("chat without a template", model("llama"), TRAIN + " --set base=./other --set stages.sft.chat=on", "./other has no chat template", "chat: auto or off"),
    ("system without a chat", model("llama"), TRAIN + " --set base=./other --set stages.sft.system=Hi", "system: a message is given, but ./other is not asked as a chat", "leave system out"),
    ("encoder-decoder", model("t5"), TRAIN + " --set base=./other", "./other: is an encoder-decoder, and training takes causal language models", "decoder-only"),
    ("lora of no layer", nothing, TRAIN + " --set stages.sft.lora.targets=[qproj]", r"lora.targets: found \['qproj'\], the model's linear layers are .*q_proj", "name some of them"),
    ("dropout of a model without", nothing, TRAIN + " --set stages.sft.dropout=0.1", "dropout: found 0.1, but the model .llama. has no dropout layer", "leave dropout out"),
    ("absent device", nothing, TRAIN + " --set device=cuda:77", "device 'cuda:77' cannot be used", "--device cpu"),
    ("weights of text", written("base/model.safetensors", "text"), TRAIN, "base/model.safetensors: damaged safetensors file", "save the weights again"),
    # Limits
    ("loss above max_loss", nothing, TRAIN + " --set stages.sft.max_loss=0.1 --fresh", "stage sft: loss is .*, above max_loss 0.1 at update 1; no state had been saved", "lower its rate: --set stages.sft.optimizer.lr="),
    ("loss that is not finite", nothing, TRAIN + " --set stages.sft.optimizer.lr=1e30 --set stages.sft.lora=null", "stage sft: (loss|grad_norm) is (nan|inf) at update [23]; the state after update [12] is kept", "lower its rate"),
    ("kl above max_kl", nothing, TRAIN + " --set stages.ppo.max_kl=1e-9 --set stages.ppo.optimizer.lr=0.1 --only ppo", "stage ppo: kl is .* nats a reply, above max_kl 1e-09 at update", "lower its rate"),
    # Where it goes
    ("output is a file", written("taken", ""), "train recipe.yaml -o taken --tasks tasks", "taken/recipe/sft.*: cannot be written", "another folder with -o"),
    ("stage is a file", lambda home: (gone("dpo")(home), (home / "out/recipe/dpo").write_text("")), TRAIN, "out/recipe/dpo/.*: cannot be written", "another folder with -o"),
    # Rank and ablate
    ("rank by nothing", nothing, "rank base -p lands -o r --tasks tasks", "give exactly one of --scorer, --model and --judge", "--scorer headline"),
    ("rank by two", nothing, RANK + " -p lands --judge base", "give exactly one of --scorer, --model and --judge", "--scorer headline"),
    ("rank with one reply", nothing, RANK + " -p lands -k 1", "Invalid value for '-k'", "bench rank --help"),
    ("rank of no checkpoint", nothing, "rank bsae -p lands --scorer headline --tasks tasks", "no model is named 'bsae'", "known"),
    ("rank without prompts", nothing, RANK, "Missing option '--prompts'", "bench rank --help"),
    ("rank the prompts of no task", nothing, RANK + " -p land", "no task or suite is named 'land'", "did you mean lands"),
    ("rank by a scorer that the task has not", nothing, "rank base -p lands --scorer rouge --tasks tasks", "a reward names 'rouge', the task has score", "known"),
    ("rank at temperature 0", nothing, RANK + " -p lands --temperature 0", "temperature: found 0.0: expected greater than 0", "bench rank --help"),
    ("ablate without numbers", nothing, "ablate recipe.yaml --stage ppo --over ptx.gamma --values a,b", "--values a,b: expected numbers with commas between", "--values 0,1"),
    ("ablate one value", nothing, "ablate recipe.yaml --stage ppo --over ptx.gamma --values 1,1", "--values: found .1.0, 1.0., expected two or more different numbers", "--values 0,1"),
    ("ablate an unknown stage", nothing, "ablate recipe.yaml --stage pop --over ptx.gamma --values 0,1", "no stage is named 'pop'", "did you mean ppo"),
    ("ablate a stage with children", nothing, "ablate recipe.yaml --stage sft --over steps --values 1,2", "stage 'sft' is needed by ranked, rm, dpo, ppo", "vary a last stage"),
    ("ablate an unknown key", nothing, "ablate recipe.yaml --stage ppo --over gama --values 0,1", "stages.ppo-gama-0.gama: unknown key", "known: batch"),
    ("ablate on an unknown task", nothing, "ablate recipe.yaml --stage ppo --over ptx.gamma --values 0,1 -t fcats", "no task or suite is named 'fcats'", "did you mean facts"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("prepare", "command", "cause", "remedy"), [pytest.param(*row[1:], id=row[0]) for row in TABLE]
)
def test_a_bad_input_gets_a_cause_and_a_remedy(home, capsys, prepare, command, cause, remedy):
    prepare(home)
    with pytest.raises(SystemExit) as ended:
        call(command)
    assert_well_said(ended.value.code, *capsys.readouterr(), cause, remedy)


def checkpoint(folder: Path) -> dict[str, bytes]:
    """The files of a checkpoint, or of rankings, and what they hold."""
    found = (path for path in folder.rglob("*") if path.is_file())
    beside = {WORK, "tensorboard"}
    return {str(path): path.read_bytes() for path in found if beside.isdisjoint(path.parts)}


@pytest.mark.parametrize(
    ("stage", "room", "settings", "cause"),
    [
        ("sft", 100_000, ["stages.sft.lora=null"], "training/state.safetensors: cannot be written"),
        ("sft", 100_000, ["stages.sft.lora.rank=1"], "out/recipe/sft: the checkpoint cannot be written"),
        ("rm", 100_000, ["stages.rm.lora.rank=1"], "out/recipe/rm: the checkpoint cannot be written"),
        ("ppo", 30_000, ["stages.ppo.lora.rank=8"], "training/state.safetensors: cannot be written"),
        ("dpo", 500, ["stages.dpo.beta=0.3"], "out/recipe/dpo.*: cannot be written"),
        ("ranked", 2_000, ["stages.ranked.temperature=0.9"], "rankings.partial.jsonl: cannot be written"),
    ],
    ids=["state", "checkpoint", "reward model", "ppo", "log", "rankings"],
)  # fmt: skip
def test_a_full_disk_leaves_what_was_trained_before(home, capsys, stage, room, settings, cause):
    folder = home / "out/recipe" / stage
    before = checkpoint(folder)
    with full_disk(room), pytest.raises(SystemExit) as ended:
        call(changed(*settings, only=stage))
    assert_well_said(ended.value.code, *capsys.readouterr(), cause, "free some space")
    after = checkpoint(folder)
    kept = before.keys() - {str(folder / "log.jsonl")}
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    call_well(changed(*settings, only=stage))
    assert checkpoint(folder) != before


def call_well(command: str) -> None:
    with pytest.raises(SystemExit) as ended:
        call(command)
    assert ended.value.code == 0


def test_after_a_full_disk_nothing_is_learned_twice(home, capsys):
    command = changed("stages.sft.lora.rank=1", only="sft")
    with full_disk(100_000), pytest.raises(SystemExit):
        call(command)
    capsys.readouterr()
    call_well(command)
    assert "sft  sft  4 steps, going on after 4" in capsys.readouterr().err
    assert hf.AutoModelForCausalLM.from_pretrained("out/recipe/sft").num_parameters() > 0


def test_a_stage_whose_card_is_damaged_is_trained_again_and_the_old_folder_is_kept(home, capsys):
    folder, weights = home / "out/recipe/dpo", "model.safetensors"
    before = checkpoint(folder)[str(folder / weights)]
    for aside in ("dpo", "dpo-2"):
        cut("out/recipe/dpo/bench.json")(home)
        damaged = checkpoint(folder)
        call_well(TRAIN)
        told = f"dpo/bench.json: file: Invalid JSON.*; dpo is trained again, .*/aside/{aside}\n"
        assert re.search(told, capsys.readouterr().err)
        assert read_card(folder) is not None
        assert checkpoint(folder)[str(folder / weights)] == before
        kept = checkpoint(folder.parent / "aside" / aside)
        assert list(kept.values()) == list(damaged.values())


def test_a_model_of_somebody_else_is_put_aside(home, capsys):
    folder = home / "out/recipe/dpo"
    (folder / "bench.json").unlink()
    before = checkpoint(folder)
    call_well(TRAIN)
    assert "dpo: holds a model without a bench.json" in capsys.readouterr().err
    assert list(checkpoint(folder.parent / "aside/dpo").values()) == list(before.values())


def test_only_the_stage_whose_card_is_damaged_is_trained_again(home, capsys):
    cut("out/recipe/sft/bench.json")(home)
    call_well(TRAIN)
    ran = [line.split()[:3] for line in capsys.readouterr().out.splitlines()[1:]]
    assert [line[0] for line in ran if line[2] == "ran"] == ["sft"]


def test_the_way_out_of_a_damaged_card_is_the_one_that_is_advised(home):
    cut("out/recipe/sft/bench.json")(home)
    (home / "out/recipe/sft/bench.json").rename("away")
    call_well(TRAIN)
    assert read_card(home / "out/recipe/sft") is not None


def test_the_way_out_of_a_damaged_state_is_the_one_that_is_advised(home):
    folder = home / "out/recipe/dpo"
    (folder / WORK / STATE).write_bytes(b"text")
    command = changed("stages.dpo.beta=0.3", only="dpo")
    with pytest.raises(SystemExit) as ended:
        call(command)
    assert ended.value.code == 1
    shutil.rmtree(folder / WORK)
    call_well(command)
