"""Rewards: sums of terms, scored as an evaluation scores, and None where a term cannot judge."""

import math
from dataclasses import replace

import pytest
import torch

from bench.errors import TaskError, UsageError
from bench.registry.folder import all_tasks
from bench.training.data.sources import Places
from bench.training.networks.forward import rewards
from bench.training.networks.layout import lay_out
from bench.training.networks.network import with_head
from bench.training.objectives.sampling import Sampled
from bench.training.rewards.rewards import make_rewarder
from bench.training.settings import RewardPart
from tests.training.replying import HERE, entries_of, entry, open_tiny, said
from tests.training.rows import write_task

torch.set_num_threads(1)
EMBEDDED = [task.name for task in all_tasks() if task.spec.splits.train and not task.spec.data.hub]
DRAWN = [  # three prompts with replies as they are sampled
    ((3, 4, 5, 6), ((40, 41, 1), (50, 1), (60, 61, 62))),
    ((7, 8), ((42, 1),)),
    ((9, 10, 11), ((70, 71, 72, 73, 1), (80, 1))),
]


@pytest.fixture(scope="module")
def reward_model(tmp_path_factory):
    _, network = open_tiny(tmp_path_factory.mktemp("reward"))
    return with_head(network, seed=3)


def by_scorer(entries, replies, places=HERE, name="headline"):
    return make_rewarder([RewardPart(scorer=name)], {}, places, 256)(entries, replies)


def by_function(folder, body, texts=("a", "bb")):
    """`def value(prompt, text)` with this body, applied to replies to one prompt."""
    (folder / "own.py").write_text(f"def value(prompt, text):\n    {body}\n", encoding="utf-8")
    rewarder = make_rewarder([RewardPart(function="own.py:value")], {}, Places(folder), 256)
    return rewarder([entry("Say it.")], [said(*texts)])


def by_model(network, micro_tokens):
    entries = [entry("", ids=prompt) for prompt, _ in DRAWN]
    replies = [[Sampled(ids, "", True) for ids in own] for _, own in DRAWN]
    rewarder = make_rewarder([RewardPart(model="rm")], {"rm": network}, HERE, micro_tokens)
    return rewarder(entries, replies)


@pytest.mark.parametrize("task", EMBEDDED)
def test_a_demonstration_earns_the_full_headline_of_its_task_and_silence_nothing(task):
    entries = entries_of(task, 2)
    found = by_scorer(entries, [said(asked.target, "") for asked in entries])
    assert found.totals_GK == [[1.0, 0.0], [1.0, 0.0]]
    assert found.reasons_GK == [["", ""], ["", ""]]


def test_a_task_that_scores_choices_asks_whether_the_written_text_names_the_right_one():
    (asked,) = entries_of("sentiment")
    right = asked.target
    wrong = next(choice for choice in asked.prompt.example.choices if choice != right)
    texts = (f" {right}", f"{right.upper()}.", wrong, f"not {right}")
    assert by_scorer([asked], [said(*texts)]).totals_GK == [[1.0, 1.0, 0.0, 0.0]]


@pytest.mark.parametrize("scorer", ["accuracy_none", "accuracy_char", "accuracy_pmi"])
def test_scorers_of_log_likelihoods_do_not_call_every_written_text_wrong(tmp_path, scorer):
    keys = {"generate": None, "choices": ["Paris", "Rome", "Madrid"], "scorers": [scorer]}
    places = write_task(tmp_path, test=[], **keys)
    (asked,) = entries_of("capitals", places=places)
    assert by_scorer([asked], [said("Paris", "Rome")], places).totals_GK == [[1.0, 0.0]]


def test_a_reply_is_scored_up_to_the_stop_at_which_an_evaluation_would_end_it():
    (asked,) = entries_of("arithmetic")
    assert asked.prompt.example.generation.stops == ("\n\n",)
    texts = (f"{asked.target}\n\nQuestion: 7 + 7? Answer: 14", f"7.\n\n{asked.target}")
    assert by_scorer([asked], [said(*texts)]).totals_GK == [[1.0, 0.0]]


def test_each_prompt_is_scored_by_its_own_task():
    entries = [*entries_of("sentiment"), *entries_of("arithmetic"), *entries_of("topic")]
    found = by_scorer(entries, [said(asked.target) for asked in entries])
    assert found.totals_GK == [[1.0], [1.0], [1.0]]


def test_a_prompt_that_belongs_to_no_task_has_no_reward():
    found = by_scorer([entry("2 + 2 ="), *entries_of("topic")], [said("4"), said("?")])
    assert found.totals_GK == [[None], [0.0]]
    assert found.reasons_GK == [["headline: its prompt belongs to no task"], [""]]


def test_a_reply_whose_record_fails_has_no_reward(tmp_path):
    places = write_task(tmp_path, scorers=["score"])
    code = "def score(example, reply):\n    return {'yes': 1.0, 'no': 0.0}[reply.text]\n"
    (tmp_path / "capitals" / "task.py").write_text(code, encoding="utf-8")
    found = by_scorer(entries_of("capitals", places=places), [said("yes", "perhaps")], places)
    assert found.totals_GK == [[1.0, None]]
    assert found.reasons_GK[0][1] == "headline: scoring: KeyError('perhaps')"


def test_a_scorer_that_the_task_does_not_list_is_named_before_anything_is_sampled():
    rewarder = make_rewarder([RewardPart(scorer="squad_f2")], {}, HERE, 256)
    with pytest.raises(TaskError) as caught:
        rewarder(entries_of("reading"), [()])
    assert "'squad_f2', the task has squad_f1, squad_em" in caught.value.cause
    assert caught.value.remedy == "did you mean squad_f1 or squad_em?"


def test_the_reward_model_scores_each_reply_as_if_it_were_alone(reward_model):
    found = by_model(reward_model, micro_tokens=4096).totals_GK
    for values, (prompt, own) in zip(found, DRAWN, strict=True):
        for value, ids in zip(values, own, strict=True):
            document = replace(entry("", ids=prompt).document, replies=(ids,))
            with torch.no_grad():
                alone = rewards(reward_model, lay_out([document], reach=0))
            assert value == pytest.approx(float(alone), abs=1e-4)


def test_micro_batches_do_not_change_what_a_reward_model_gives(reward_model):
    at_once, one_by_one = by_model(reward_model, 4096), by_model(reward_model, 1)
    for left, right in zip(at_once.totals_GK, one_by_one.totals_GK, strict=True):
        assert left == pytest.approx(right, abs=1e-4)


def test_a_reward_model_that_gives_nan_gives_no_reward(reward_model):
    broken = with_head(reward_model, seed=3)
    with torch.no_grad():
        broken.head.bias.fill_(math.nan)
    found = by_model(broken, 4096)
    assert found.totals_GK == [[None] * 3, [None], [None] * 2]
    assert found.reasons_GK[1] == ["rm: not a finite number"]


def test_prompts_without_replies_have_no_rewards(reward_model):
    rewarder = make_rewarder([RewardPart(model="rm")], {"rm": reward_model}, HERE, 256)
    assert rewarder([entry("a"), entry("b")], [(), ()]).totals_GK == [[], []]


def test_terms_are_added_by_weight_and_a_missing_one_leaves_no_total(tmp_path):
    code = "def length(prompt, text):\n    return float('nan') if text == '?' else len(text)\n"
    (tmp_path / "own.py").write_text(code, encoding="utf-8")
    parts = [
        RewardPart(scorer="headline", weight=2.0),
        RewardPart(function="own.py:length", weight=-0.1),
    ]
    (asked,) = entries_of("topic")
    found = make_rewarder(parts, {}, Places(tmp_path), 256)([asked], [said(asked.target, "?")])
    assert found.totals_GK == [[pytest.approx(2.0 - 0.1 * len(asked.target)), None]]
    assert found.terms == {
        "headline": [[1.0, 0.0]],
        "own.py:length": [[float(len(asked.target)), None]],
    }


def test_a_function_sees_the_prompt_and_the_reply_without_its_delimiter(tmp_path):
    body = "return 1 if (prompt.text, text) == ('Say it.', 'now') else 0"
    assert by_function(tmp_path, body, (" now", "  now")).totals_GK == [[1.0, 0.0]]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("return 1 / (len(text) - 1)", "ZeroDivisionError: division by zero"),
        (
            "return len(text) if len(text) > 1 else 'short'",
            "it returned 'short', expected a number",
        ),
        ("return float('inf') if len(text) == 1 else 2", "not a finite number"),
    ],
)
def test_a_function_that_fails_for_one_reply_judges_the_others(tmp_path, body, reason):
    found = by_function(tmp_path, body)
    assert found.totals_GK[0][0] is None
    assert found.totals_GK[0][1] is not None
    assert found.reasons_GK == [[f"own.py:value: {reason}", ""]]


def test_a_function_that_fails_for_every_reply_is_an_error(tmp_path):
    with pytest.raises(TaskError, match=r"own.py:value: fails for each of 2 replies, .*NameError"):
        by_function(tmp_path, "return undefined")


@pytest.mark.parametrize("reference", ["own.py", "other.py:value", "own.py:worth"])
def test_a_function_that_is_not_there_is_an_error_before_any_reply(tmp_path, reference):
    (tmp_path / "own.py").write_text("def value(prompt, text): return 1\n", encoding="utf-8")
    with pytest.raises(TaskError):
        make_rewarder([RewardPart(function=reference)], {}, Places(tmp_path), 256)


def test_two_terms_of_one_name_are_refused():
    parts = [RewardPart(scorer="headline"), RewardPart(scorer="headline", weight=2.0)]
    with pytest.raises(UsageError, match="two terms are called 'headline'"):
        make_rewarder(parts, {}, HERE, 256)
