"""Checkpoint x task -> requests: prompts that depend on the row and the settings alone."""

import pytest

import bench
from bench.errors import UsageError
from bench.evaluation.plan import Ask, Settings, digest_of, make_plan
from bench.models.fake import open_fake
from bench.registry.folder import Task
from bench.registry.prompt import ShotSettings
from bench.registry.spec import read_spec
from tests.evaluation.folders import CHOOSES, capitals, write_task

MODEL = open_fake("fake:empty", {})
SHOTS = [ShotSettings(0), ShotSettings(3), ShotSettings(3, "per_example"), ShotSettings(3, seed=7)]


def task_in(folder) -> Task:
    return Task(folder.name, folder, read_spec(folder / "task.yaml"))


def asks(task: Task, **settings) -> tuple[Ask, ...]:
    return make_plan(MODEL, task, Settings(**settings)).asks


@pytest.mark.parametrize("shots", SHOTS, ids=str)
@pytest.mark.parametrize("limit", [1, 5, 100])
def test_a_limit_asks_a_prefix_of_the_same_requests(tmp_path, shots, limit):
    task = task_in(write_task(tmp_path))
    assert asks(task, shots=shots, limit=limit) == asks(task, shots=shots)[:limit]


@pytest.mark.parametrize("shots", SHOTS, ids=str)
def test_the_order_of_the_rows_changes_no_request(tmp_path, shots):
    straight = task_in(write_task(tmp_path / "a"))
    turned = task_in(write_task(tmp_path / "b", rows=capitals()[::-1]))
    by_id = [
        {ask.example.id: ask.requests for ask in asks(task, shots=shots)}
        for task in (straight, turned)
    ]
    assert by_id[0] == by_id[1]


def test_the_smaller_of_the_suites_and_the_users_limit_holds(tmp_path):
    task = task_in(write_task(tmp_path))
    assert make_plan(MODEL, task, Settings(limit=5), limit=3).limit == 3
    assert make_plan(MODEL, task, Settings(limit=2), limit=3).limit == 2


def test_samples_of_one_prompt_have_seeds_of_their_own(tmp_path):
    drawn = {"max_tokens": 6, "samples": 4, "temperature": 1.0}
    task = task_in(write_task(tmp_path, generate=drawn))
    seeds = [sample.generation.seed for ask in asks(task) for sample in ask.samples]
    assert len(set(seeds)) == 4 * len(capitals())
    reseeded = asks(task, shots=ShotSettings(seed=1))
    assert not set(seeds) & {sample.generation.seed for ask in reseeded for sample in ask.samples}


def test_greedy_requests_have_no_seed_so_that_seeds_do_not_split_the_ledger(tmp_path):
    task = task_in(write_task(tmp_path))
    assert asks(task) == asks(task, shots=ShotSettings(seed=9))


def test_choices_continue_the_prompt_after_the_delimiter(tmp_path):
    task = task_in(write_task(tmp_path, **CHOOSES, delimiter=" = "))
    (request,) = asks(task, limit=1)[0].requests
    assert request.prompt == "The capital of Japan is"
    assert request.continuations == (" = Tokyo", " = Paris")


@pytest.mark.parametrize(("key", "value"), [("normalise", "pmi"), ("scorers", ["accuracy_pmi"])])
def test_pmi_also_asks_for_the_choices_without_the_question(tmp_path, key, value):
    task = task_in(write_task(tmp_path, **CHOOSES | {key: value}))
    (ask,) = asks(task, limit=1)
    assert ask.baseline is not None
    assert (ask.baseline.prompt, ask.baseline.continuations) == ("", (" Tokyo", " Paris"))


def test_only_the_question_is_essential_when_shots_stand_before_it(tmp_path):
    task = task_in(write_task(tmp_path))
    for ask in asks(task, shots=ShotSettings(3)):
        (request,) = ask.requests
        assert request.prompt[-request.essential :] == ask.example.question


@pytest.mark.parametrize(
    ("settings", "cause"),
    [
        (Settings(chat="on"), "fake:empty has no chat template"),
        (Settings(system="Be kind."), "--system needs a chat template"),
        (Settings(variant="polite"), "has no variant 'polite'"),
    ],
)
def test_settings_that_mean_nothing_here_are_refused(tmp_path, settings, cause):
    task = task_in(write_task(tmp_path))
    with pytest.raises(UsageError, match=cause):
        make_plan(MODEL, task, settings)


@pytest.mark.parametrize(
    "changed", [{"version": 2}, {"scorers": ["contains"]}, {"rows": capitals()[:-1]}], ids=str
)
def test_the_digest_of_a_plan_tells_items_and_scoring_apart(tmp_path, changed):
    plans = [
        make_plan(MODEL, task_in(folder), Settings())
        for folder in (write_task(tmp_path / "a"), write_task(tmp_path / "b", **changed))
    ]
    assert plans[0].digest != plans[1].digest


def test_shots_leave_the_digest_of_a_plan_as_it_is(tmp_path):
    task = task_in(write_task(tmp_path))
    plan = make_plan(MODEL, task, Settings(ShotSettings(2)))
    assert plan.digest == make_plan(MODEL, task, Settings()).digest
    assert plan.digest == digest_of(task, [ask.example for ask in plan.asks])


def test_the_question_alone_is_essential_in_a_chat_template_that_trims(tmp_path):
    from tests.models import tiny  # torch

    folder = tiny.save("llama", tmp_path / "chat", chat=True)
    template = tiny.CHAT.replace("m.content", "m.content | trim")
    (folder / "chat_template.jinja").write_text(template)
    task = task_in(write_task(tmp_path, prompt="The capital of {{ country }} is\n\n"))
    plan = make_plan(bench.open_model(str(folder)), task, Settings(ShotSettings(3)))
    for ask in plan.asks:
        (request,) = ask.requests
        assert (
            request.prompt[-request.essential :] == f"{ask.example.question.strip()}\n[assistant]"
        )
