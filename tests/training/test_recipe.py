"""Recipes: what each mistake is answered with, overrides, variants, and names that lead nowhere."""
# ruff: noqa: E501  # a table is read by line

from pathlib import Path

import pytest

from bench.errors import UsageError
from bench.training.recipe import (
    check_stages,
    find_recipe,
    load_recipe,
    packaged_names,
    variant_name,
    varied,
)
from bench.training.settings import Lora

GOOD = """\
base: smollm2-135m
data:
  tasks: {sources: [{task: topic}, {task: reading}]}
stages:
  warm: {kind: sft, data: tasks, epochs: 3}
  ranked: {kind: rank, from: warm, prompts: tasks, by: {scorer: headline}}
  rm: {kind: reward, from: warm, rankings: ranked}
  rl: {kind: ppo, from: warm, prompts: tasks, reward: [{model: rm}], steps: 40}
"""
SEE = "bench train lists them"
CHOOSES = "{task: reading}"
LAST = "{task: reading}]"
RANKED, REWARD = "from: warm, prompts: tasks, by", "from: warm, rankings"
RL = "from: warm, prompts: tasks, reward"

# what is wrong: (text of the good recipe, what stands there instead, in the cause, in the remedy)
BAD = {
    "key misspelt": ("epochs: 3", "epoch: 3", "stages.warm.epoch: unknown key", "did you mean epochs?"),
    "key at the top": ("base: smoll", "bas: smoll", "bas: unknown key", "did you mean base?"),
    "key below a key": ("epochs: 3", "optimizer: {scedule: linear}", "stages.warm.optimizer.scedule: unknown key", "mean schedule?"),
    "key of a part": ("{model: rm}", "{modl: rm}", "stages.rl.reward.0.modl: unknown key", "mean model?"),
    "key of an optional part": ("epochs: 3", "lora: {rnk: 4}", "stages.warm.lora.rnk: unknown key", "mean rank?"),
    "key written twice": ("steps: 40", "steps: 40, steps: 50", ":8: not readable as YAML: the key 'steps' is written twice", "mend"),
    "no base": ("base: smollm2-135m\n", "", "base: missing", "add the key base"),
    "no data": ("data: tasks, ", "", "stages.warm.data: missing", "add the key stages.warm.data"),
    "no kind": ("kind: sft, ", "", "stages.warm.kind: missing", "add the key stages.warm.kind"),
    "no such kind": ("kind: sft", "kind: stf", "stages.warm.kind: found 'stf'", "did you mean sft?"),
    "text for a number": ("epochs: 3", "epochs: many", "stages.warm.epochs: found 'many': expected a number", SEE),
    "nothing": ("epochs: 3", "epochs: 0", "stages.warm.epochs: found 0: expected greater than 0", SEE),
    "half a batch": ("epochs: 3", "batch: 1.5", "stages.warm.batch: found 1.5: expected a whole number", SEE),
    "no such choice": ("epochs: 3", "optimizer: {schedule: lin}", "schedule: found 'lin': expected 'cosine',", "mean linear?"),
    "one beta": ("epochs: 3", "optimizer: {betas: [0.9]}", "optimizer.betas: found [0.9]: expected more items", SEE),
    "three betas": ("epochs: 3", "optimizer: {betas: [0.9, 0.9, 0.8]}", "betas: found [0.9, 0.9, 0.8]: expected at most 2", SEE),
    "beta too large": ("epochs: 3", "optimizer: {betas: [0.9, 2]}", "optimizer.betas.1: found 2: expected less than 1", SEE),
    "number for a part": ("epochs: 3", "lora: 16", "stages.warm.lora: found 16: expected a mapping of keys", SEE),
    "text for a list": ("epochs: 3", "lora: {targets: q_proj}", "lora.targets: found 'q_proj': expected a list", SEE),
    "yes for text": ("epochs: 3", "system: yes", "stages.warm.system: found True: expected text", "quote it: YAML reads yes"),
    "number for text": ("from: warm, rankings", "from: 3, rankings", "stages.rm.from: found 3: expected text", 'quote it: "3"'),
    "number for a stage": ("{kind: sft, data: tasks, epochs: 3}", "3", "stages.warm: found 3: expected a mapping", SEE),
    "a stage called 3": ("warm: {kind", "3: {kind", "stages.3: found 3: expected text", 'quote it: "3"'),
    "a stage called base": ("warm: {kind", "base: {kind", "stages.base: the name means the first parent", "rename"),
    "a stage outside": ("warm: {kind", "../up: {kind", "stages.../up: the name is not that of a folder", "letters"),
    "from nothing": (REWARD, "from: wram, rankings", "stages.rm.from: 'wram' is no stage, no built-in model, no folder and no", "warm"),
    "from a later stage": (RANKED, "from: rl, prompts: tasks, by", "stages.ranked.from: 'rl' is no stage above it that trains", "base, warm"),
    "from itself": (REWARD, "from: rm, rankings", "stages.rm.from: 'rm' is no stage above it that trains a", "warm"),
    "from a rank stage": (REWARD, "from: ranked, rankings", "stages.rm.from: 'ranked' is no stage above it that trains", "base, warm"),
    "from a reward stage": (RL, "from: rm, prompts: tasks, reward", "stages.rl.from: 'rm' is no stage above it that trains a", "warm"),
    "data and a rank stage of one name": ("  tasks: {", "  ranked: {sources: [{task: topic}]}\n  tasks: {", "stages.ranked: data is called 'ranked' too", "rename one"),
    "judged by a later stage": ("{scorer: headline}", "{judge: rl}", "stages.ranked.by.judge: 'rl' is no stage above it that", "warm"),
    "unknown data": ("data: tasks", "data: task", "stages.warm.data: no data is named 'task'", "did you mean tasks?"),
    "unknown rankings": ("rankings: ranked", "rankings: rankd", "stages.rm.rankings: no data is named 'rankd'", "mean ranked?"),
    "rankings of another stage": ("rankings: ranked", "rankings: warm", "stages.rm.rankings: no data is named 'warm'", "ranked, tasks"),
    "prompts of a rank stage": (RL, "from: warm, prompts: ranked, reward", "stages.rl.prompts: no data is named 'ranked'", "known: tasks"),
    "unknown text to mix in": ("steps: 40}", "ptx: {data: task}}", "stages.rl.ptx.data: no data is named 'task'", "mean tasks?"),
    "reward of no reward stage": ("{model: rm}", "{model: warm}", "stages.rl.reward.0.model: 'warm' is no reward stage above it", "rm"),
    "reward of itself": ("{model: rm}", "{model: rl}", "stages.rl.reward.0.model: 'rl' is no reward stage above it", "rm"),
    "reward of nothing": ("{model: rm}", "{model: rn}", "stages.rl.reward.0.model: 'rn' is no stage, no built-in model", "rm"),
    "ranked by what comes later": ("{scorer: headline}", "{model: rm}", "stages.ranked.by.model: 'rm' is no reward stage above it", "none"),
    "selected by what comes later": ("epochs: 3", "select: {by: reward, reward: rm}", "stages.warm.select.reward: 'rm' is no reward stage", "none"),
    "selected by nothing": ("epochs: 3", "select: {by: reward}", "stages.warm.select: found {'by': 'reward'}: reward goes with", SEE),
    "two rewards in one": ("{model: rm}", "{model: rm, scorer: x}", "stages.rl.reward.0: found {'model': 'rm', 'scorer': 'x'}: give", SEE),
    "no reward": ("[{model: rm}]", "[]", "stages.rl.reward: found []: expected at least one item", SEE),
    "one reward without a list": ("[{model: rm}]", "{model: rm}", "stages.rl.reward: found {'model': 'rm'}: expected a list", SEE),
    "two sources of one label": (CHOOSES, "{task: topic}", "data.tasks: found {", SEE),
    "a source from two places": (CHOOSES, "{task: reading, file: x.jsonl}", "data.tasks.sources.1: found {'task': 'reading', 'file':", SEE),
    "a source from nowhere": (CHOOSES, "{}", "data.tasks.sources.1: found {}: give exactly one of task, file", SEE),
    "a source without keys": (CHOOSES, "reading", "data.tasks.sources.1: found 'reading': expected a mapping of", SEE),
    "no source": ("[{task: topic}, {task: reading}]", "[]", "data.tasks.sources: found []: expected at least one item", SEE),
    "a column called 3": (CHOOSES, "{task: reading, columns: {prompt: 3}}", "sources.1.columns.prompt: found 3: expected text", 'quote it: "3"'),
    "weight of no source": (LAST, LAST + ", mix: {by: explicit, weights: {topc: 1}}", "mix.weights names topc, sources are ['topic',", SEE),
    "weights without explicit": (LAST, LAST + ", mix: {weights: {topic: 1}}", "data.tasks.mix: found {'weights': {'topic': 1}}: weights go", SEE),
    "all held out": (LAST, LAST + ", holdout: {share: 1}", "data.tasks.holdout.share: found 1: expected less than 1", SEE),
    "open bracket": ("epochs: 3}", "epochs: 3", ":6: not readable as YAML", "mend the line"),
    "a list": (GOOD, "- warm\n", "holds list, expected a mapping of keys", SEE),
    "an empty file": (GOOD, "", "holds NoneType, expected a mapping of keys", SEE),
}  # fmt: skip

# override: (in the cause, in the remedy)
BAD_OVERRIDES = {
    "stages.warm.epoch=2": ("stages.warm.epoch: unknown key", "did you mean epochs?"),
    "stages.wram.epochs=2": ("--set stages.wram.epochs=2: stages has no 'wram'", "warm"),
    "data.task.mix.by=equal": ("--set data.task.mix.by=equal: data has no 'task'", "did you mean tasks?"),
    "stage.warm.epochs=2": ("stage: unknown key", "did you mean stages?"),
    "stages.warm.epochs": ("--set stages.warm.epochs: expected KEY.PATH=VALUE", "--set stages.sft.epochs=2"),
    "=2": ("--set =2: expected KEY.PATH=VALUE", "--set stages.sft.epochs=2"),
    "stages.warm.epochs=[1": ("the value is not readable as YAML", "quote it"),
    "stages.warm.system=2020-99-99": ("the value is not readable as YAML", "quote it"),
    "stages.warm.epochs=abc": ("stages.warm.epochs: found 'abc': expected a number", SEE),
    "base.name=x": ("--set base.name=x: base is no mapping of keys: no 'name' in it", SEE),
    "stages.rl.reward.1.weight=2": ("stages.rl.reward is a list of 1: no '1' in it", SEE),
    "stages.rl.reward.first=2": ("stages.rl.reward is a list of 1: no 'first' in it", SEE),
    "stages.rl.from=rm": ("stages.rl.from: 'rm' is no stage above it that trains", "warm"),
}  # fmt: skip


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text)
    return path


@pytest.fixture
def good(tmp_path) -> str:
    return str(write(tmp_path, GOOD))


def test_a_good_recipe_is_read(good):
    loaded = load_recipe(good)
    assert (loaded.name, loaded.path) == ("mine", Path(good))
    assert list(loaded.recipe.stages) == ["warm", "ranked", "rm", "rl"]
    assert loaded.recipe.stages["rm"].from_ == "warm"


@pytest.mark.parametrize("name", packaged_names())
def test_packaged_recipes_are_good_and_found_by_name(name):
    assert load_recipe(name).name == name


@pytest.mark.parametrize("what", BAD)
def test_a_mistake_is_told_with_its_place_and_a_remedy(tmp_path, what):
    old, new, cause, remedy = BAD[what]
    assert GOOD.count(old) >= 1
    path = write(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(UsageError) as caught:
        load_recipe(str(path))
    assert caught.value.cause.startswith(f"{path}:")
    assert cause in caught.value.cause
    assert remedy in caught.value.remedy


def test_two_sources_of_one_label_are_named(tmp_path):
    path = write(tmp_path, GOOD.replace("{task: reading}", "{task: topic}"))
    with pytest.raises(UsageError, match="two sources are called topic; give one a name"):
        load_recipe(str(path))


@pytest.mark.parametrize("override", BAD_OVERRIDES)
def test_an_override_that_means_nothing_is_refused(good, override):
    cause, remedy = BAD_OVERRIDES[override]
    with pytest.raises(UsageError) as caught:
        load_recipe(good, [override])
    assert cause in caught.value.cause
    assert remedy in caught.value.remedy


def test_overrides_are_typed_as_the_file_is(good):
    recipe = load_recipe(
        good,
        [
            "stages.warm.epochs=0.5",
            "stages.warm.optimizer.lr=1e-5",
            "stages.warm.lora.rank=4",
            "stages.rl.missing_eos=null",
            "stages.rl.reward.0.weight=-2",
            "data.tasks.sources.1={task: intent, limit: 7}",
            "data.tasks.sources.0.limit=3",
            "title=a = b",
            "seed=4",
        ],
    ).recipe
    warm, rl = recipe.stages["warm"], recipe.stages["rl"]
    assert (warm.epochs, warm.optimizer.lr, warm.lora) == (0.5, 1e-5, Lora(rank=4))
    assert (rl.missing_eos, rl.reward[0].weight, rl.reward[0].model) == (None, -2.0, "rm")
    assert [(s.task, s.limit) for s in recipe.data["tasks"].sources] == [
        ("topic", 3),
        ("intent", 7),
    ]
    assert (recipe.title, recipe.seed) == ("a = b", 4)


def test_the_last_override_of_a_key_counts(good):
    assert load_recipe(good, ["seed=1", "seed=2"]).recipe.seed == 2


def test_a_whole_stage_can_be_set(good):
    recipe = load_recipe(good, ["stages.more={kind: sft, from: warm, data: tasks}"]).recipe
    assert recipe.stages["more"].from_ == "warm"


def test_an_override_below_an_anchor_changes_one_stage(tmp_path):
    text = GOOD.replace("epochs: 3", "lora: &lora {rank: 8}").replace(
        "rankings: ranked", "rankings: ranked, lora: *lora"
    )
    recipe = load_recipe(str(write(tmp_path, text)), ["stages.rm.lora.rank=2"]).recipe
    assert (recipe.stages["warm"].lora.rank, recipe.stages["rm"].lora.rank) == (8, 2)


def test_checkpoints_from_elsewhere_need_no_stage(tmp_path):
    (tmp_path / "folder").mkdir()
    for name in ("smollm2-135m", "org/name", str(tmp_path / "folder")):
        text = GOOD.replace(REWARD, f"from: {name}, rankings")
        text = text.replace("{model: rm}", f"{{model: {name}}}")
        text = text.replace("{scorer: headline}", f"{{judge: {name}}}")
        assert load_recipe(str(write(tmp_path, text))).recipe.stages["rm"].from_ == name


def test_a_name_that_no_recipe_has_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match=r"no recipe 'demmo'.*\n.*did you mean demo\?"):
        find_recipe("demmo")


@pytest.mark.parametrize("name", ["", "/", "no/such.yaml", "x" * 400])
def test_what_is_no_file_is_no_recipe(name):
    with pytest.raises(UsageError, match="not a file, not packaged"):
        find_recipe(name)


def test_stages_to_run_must_be_there(good):
    recipe = load_recipe(good).recipe
    check_stages(recipe, ["warm", "rl"])
    with pytest.raises(UsageError, match=r"--only wrm: no such stage\n.*warm"):
        check_stages(recipe, ["wrm"])


def test_a_stage_is_varied_once_for_each_value(good):
    recipe = varied(
        load_recipe(good, ["stages.rl.ptx={data: tasks}"]).recipe, "rl", "ptx.gamma", [0, 27.8]
    )
    assert list(recipe.stages) == ["warm", "ranked", "rm", "rl-gamma-0", "rl-gamma-27.8"]
    assert [recipe.stages[name].ptx.gamma for name in list(recipe.stages)[3:]] == [0.0, 27.8]
    assert {recipe.stages[name].steps for name in list(recipe.stages)[3:]} == {40}


def test_whole_numbers_can_be_varied(good):
    recipe = varied(load_recipe(good).recipe, "rl", "steps", [4.0, 8.0])
    assert [recipe.stages[f"rl-steps-{steps}"].steps for steps in (4, 8)] == [4, 8]


def test_variants_are_named_by_the_last_key_and_the_value():
    assert variant_name("sft", "optimizer.lr", 1e-5) == "sft-lr-1e-05"


@pytest.mark.parametrize("values", [[1.0, 1.0000001], [20.0, 3.0]])
def test_two_variants_of_one_name_are_refused(tmp_path, values):
    more = "  rl-steps-3: {kind: sft, data: tasks}\n"
    recipe = load_recipe(str(write(tmp_path, GOOD + more))).recipe
    with pytest.raises(UsageError, match=r"a stage would be called 'rl-steps-[13]' twice"):
        varied(recipe, "rl", "steps", values)


# (stage, key): (in the cause, in the remedy)
NOT_VARIED = {
    ("rll", "steps"): ("no stage is named 'rll'", "rl"),
    ("warm", "epochs"): ("stage 'warm' is needed by ranked, rm, rl", "vary a last stage"),
    ("rm", "epochs"): ("stage 'rm' is needed by rl", "vary a last stage"),
    ("ranked", "replies"): ("stage 'ranked' is needed by rm", "vary a last stage"),
    ("rl", "step"): ("stages.rl-step-1.step: unknown key", "did you mean steps"),
    ("rl", "ptx.gamma"): ("stages.rl-gamma-1.ptx.data: missing", "add the key"),
    ("rl", "prompts.x"): ("stages.rl.prompts.x: prompts is no mapping of keys", SEE),
}  # fmt: skip


@pytest.mark.parametrize(("stage", "key"), NOT_VARIED)
def test_what_cannot_be_varied_is_told(good, stage, key):
    cause, remedy = NOT_VARIED[stage, key]
    with pytest.raises(UsageError) as caught:
        varied(load_recipe(good).recipe, stage, key, [1.0])
    assert cause in caught.value.cause
    assert remedy in caught.value.remedy
