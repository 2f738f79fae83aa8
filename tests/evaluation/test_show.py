"""`bench show`: real prompts, and where the answer's tokens begin."""

import pytest

import bench
from bench.evaluation.plan import Settings, make_plan
from bench.evaluation.show import show_rows, shown_text
from bench.models.fake import open_fake
from bench.registry.prompt import ShotSettings
from tests.evaluation.folders import CHOOSES, write_task

TWO = Settings(ShotSettings(1), limit=2)


@pytest.fixture
def tasks(tmp_path):
    """The tasks by name."""
    write_task(tmp_path)
    write_task(tmp_path, "choices", **CHOOSES)
    write_task(tmp_path, "long", instruction="Please answer. " * 60)
    write_task(tmp_path, "huge", prompt="{{ country * 300 }}")
    names = ["capitals", "choices", "long", "huge"]
    return {task.name: task for task in bench.load_tasks(names, [tmp_path])}


def test_prompts_and_digests_are_those_of_an_evaluation(tasks):
    model = open_fake("fake:empty", {})
    for row, ask in zip(
        show_rows(tasks["choices"], TWO, model, tokens=False),
        make_plan(model, tasks["choices"], TWO).asks,
        strict=True,
    ):
        assert (row["id"], row["prompt"]) == (ask.example.id, ask.samples[0].prompt)
        assert (row["digest"], row["prompt_digest"]) == (ask.example.digest, ask.prompt_digest)
        assert (row["target"], row["choices"]) == (ask.example.target, list(ask.example.choices))


def test_the_boundary_splits_context_and_choice_at_a_token(tasks, tiny_llama):
    model = bench.open_model(tiny_llama)
    row, _ = show_rows(tasks["choices"], TWO, model, tokens=True)
    for choice, boundary in zip(row["choices"], row["tokens"]["boundaries"], strict=True):
        before, after = ("".join(side[1:-1].split("' '")) for side in boundary.split(" | "))
        assert row["prompt"].endswith(before)
        assert f" {choice}".startswith(after)


@pytest.mark.parametrize(
    ("task", "bos", "truncated", "error"),
    [("capitals", 1, 0, ""), ("long", 1, 1, ""), ("huge", 0, 0, "over-long prompt")],
)
def test_bos_cuts_and_errors_are_shown(tasks, tiny_llama, task, bos, truncated, error):
    for row in show_rows(tasks[task], TWO, bench.open_model(tiny_llama), tokens=True):
        told = row["tokens"]
        assert (told["bos"], min(told["truncated"], 1)) == (bos, truncated)
        assert error in told["error"]


def test_the_text_for_a_terminal_holds_all_of_it(tasks, tiny_llama):
    for name in ("capitals", "choices", "huge"):
        row, _ = show_rows(tasks[name], TWO, bench.open_model(tiny_llama), tokens=True)
        text = shown_text(row)
        for part in (row["prompt"], row["digest"], row["tokens"]["error"]):
            assert part in text
        assert f"target: {row['target']!r}" in text
        assert f"{row['tokens']['prompt_tokens']} in the prompt" in text


def test_what_each_token_of_a_choice_is_worth_stands_below_it(tasks, tiny_llama):
    model = bench.open_model(tiny_llama)
    row, _ = show_rows(tasks["choices"], TWO, model, True, model.token_logprobs)
    told = row["tokens"]["logprobs"]
    assert len(told) == len(row["choices"])
    assert all(value < 0 for one in told for value in one)
    assert f"{sum(told[0]):.2f} nats: {told[0][0]:.2f}" in shown_text(row)
