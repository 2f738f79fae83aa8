"""The table of scorers: names, task hooks, `evaluate` metrics, and what all have in common."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import TaskError
from bench.scoring.scorers import RUN_CODE, SCORERS, find_scorer, find_scorers
from bench.types import Example, Reply
from tests.scoring.values import choice, generated, preferring

OF_CHOICES = sorted(name for name in SCORERS if name.startswith("accuracy"))
OF_TEXT = [*sorted(SCORERS.keys() - RUN_CODE.keys() - set(OF_CHOICES)), "accuracy"]
CHECKED = {
    "constraints": [{"kind": "no_commas"}, {"kind": "max_words", "n": 9}],
    "expected": "comply",
}
METRIC = """
import datasets
import evaluate


class Same(evaluate.Metric):
    def _info(self):
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description="",
            citation="",
            inputs_description="",
            features=datasets.Features({"predictions": text, "references": text}),
        )

    def _compute(self, predictions, references):
        same = float(predictions == references)
        return {"same": same, "half": same / 2, "percent": same * 100}
"""


@pytest.fixture(scope="module")
def metric(tmp_path_factory) -> str:
    """Path of a local `evaluate` metric."""
    folder = tmp_path_factory.mktemp("metrics") / "same"
    folder.mkdir()
    (folder / "same.py").write_text(METRIC)
    return str(folder)


def own(example: Example, reply: Reply) -> float:
    return 0.25


@pytest.mark.parametrize("name", OF_TEXT)
@pytest.mark.parametrize("text", ["", " \n\t", None])
def test_empty_replies_score_zero(name, text):
    example = replace(generated("4", "four"), check=CHECKED)
    assert SCORERS[name](example, Reply(text=text)) == 0.0


@pytest.mark.parametrize("name", OF_CHOICES)
def test_replies_without_log_likelihoods_score_zero(name):
    assert SCORERS[name](choice(("a", "b")), Reply(finish="scored")) == 0.0


@pytest.mark.parametrize("name", sorted(RUN_CODE))
def test_empty_code_scores_zero_without_being_run(name):
    check = {"tests": [["f(1)", "1"]], "program": "assert f(1) == 1"}
    assert SCORERS[name](replace(generated("x"), check=check), Reply(text=" ")) == 0.0


@settings(max_examples=40, deadline=None)
@pytest.mark.parametrize("name", OF_TEXT)
@given(text=st.text(max_size=60), gold=st.text(min_size=1, max_size=20))
def test_values_lie_between_zero_and_one_for_any_text(name, text, gold):
    example = replace(generated(gold), check=CHECKED)
    assert 0.0 <= SCORERS[name](example, Reply(text=text)) <= 1.0


@pytest.mark.parametrize("name", OF_CHOICES)
@given(values=st.lists(st.floats(-100, 0), min_size=2, max_size=5))
def test_accuracies_are_zero_or_one(name, values):
    example = choice(tuple(f"choice {place}" for place in range(len(values))))
    reply = preferring(*values, tokens=(2,) * len(values), alone=(-3.0,) * len(values))
    assert SCORERS[name](example, reply) in (0.0, 1.0)


def test_scorers_keep_the_order_in_which_a_task_names_them():
    names = ["squad_em", "exact_match", "squad_f1"]
    assert list(find_scorers(names)) == names


def test_score_is_the_hook_of_the_task():
    assert find_scorers(["score"], own)["score"] is own


def test_score_without_a_hook_is_an_error():
    with pytest.raises(TaskError, match=r"no task\.py with score"):
        find_scorer("score")


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("exact_macth", "did you mean exact_match?"),
        ("rouge_L", "did you mean rouge_l"),
        ("f1", "known: "),
        ("", "known: "),
    ],
)
def test_an_unknown_scorer_names_the_nearest(name, remedy):
    with pytest.raises(TaskError, match="no scorer is named") as raised:
        find_scorer(name)
    assert raised.value.remedy.startswith(remedy)


@pytest.mark.parametrize(("key", "value"), [("", 1.0), (":same", 1.0), (":half", 0.5)])
def test_an_evaluate_metric_gives_its_first_value_or_the_one_named(metric, key, value):
    score = find_scorer(f"evaluate:{metric}{key}")
    assert score(generated("4"), Reply(text="4")) == value
    assert score(generated("4"), Reply(text="5")) == 0.0
    assert score(generated("4"), Reply()) == 0.0


def test_an_unknown_value_of_an_evaluate_metric_names_the_nearest(metric):
    with pytest.raises(TaskError, match="has no value 'hlaf'") as raised:
        find_scorer(f"evaluate:{metric}:hlaf")(generated("4"), Reply(text="4"))
    assert raised.value.remedy == "did you mean half?"


def test_an_evaluate_metric_keeps_replies_apart_in_threads(metric):
    score = find_scorer(f"evaluate:{metric}")
    said = [str(number % 5) for number in range(100)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: score(generated("4"), Reply(text=text)), said))
    assert found == [float(text == "4") for text in said]


@pytest.mark.parametrize("content", [None, "this is no python", "import no_such_module_at_all"])
def test_a_metric_that_cannot_be_loaded_says_what_to_do(tmp_path, content):
    if content is not None:
        (tmp_path / f"{tmp_path.name}.py").write_text(content)
    with pytest.raises(TaskError, match="cannot be loaded") as raised:
        find_scorer(f"evaluate:{tmp_path}")
    assert (
        raised.value.remedy == "give the path of a local metric script, or connect to the network"
    )
    assert "\n" not in raised.value.cause
