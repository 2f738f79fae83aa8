"""`bench check`: a right folder passes; each rule, broken in turn, is found where it is broken."""

import json
import math
from pathlib import Path

import pytest

from bench.errors import TaskError
from bench.registry.check import PER_RULE, check_task, raise_findings
from bench.registry.check_replies import REPLY_RULES
from bench.registry.check_rows import ROW_RULES
from bench.registry.finding import Finding
from bench.types import Json

Rows = list[dict[str, Json]]
PASSAGE = "The old mill by the river was built of red brick in the year 1804 by two brothers"
HUB: dict[str, Json] = {"hub": "org/name", "revision": "abc"}


def capitals(split: str, *pairs: str) -> Rows:
    given = (pair.split() for pair in pairs)
    return [
        {"id": f"{split}-{number}", "country": country, "capital": capital}
        for number, (country, capital) in enumerate(given, start=1)
    ]


def labelled(split: str, labels: str) -> Rows:
    """One row for each letter of `labels`, of which each is a label."""
    return [
        {"id": f"{split}-{number}", "country": f"{split} land {number}", "capital": label}
        for number, label in enumerate(labels)
    ]


MANY = capitals("test", *(f"Land{number} Town{number}" for number in range(30)))
LABELS: dict[str, Json] = {
    "prompt": "Hemisphere of {{ country }}?",
    "choices": ["n", "s"],
    "generate": None,
    "scorers": ["accuracy"],
    "chance": 0.5,
}


def by_rule(findings: list[Finding]) -> dict[str, list[Finding]]:
    return {
        rule: [finding for finding in findings if finding.rule == rule]
        for rule in {finding.rule for finding in findings}
    }


def the_finding(task, rule: str) -> Finding:
    """The one finding, which is of `rule`."""
    findings = check_task(task)
    assert [finding.rule for finding in findings] == [rule]
    return findings[0]


def test_a_right_folder_has_no_findings(write_task):
    assert check_task(write_task()) == []


def test_a_right_folder_with_choices_and_variants_has_no_findings(write_task):
    variants: Json = {"short": {"prompt": "{{ country }}?"}}
    rows = {split: labelled(split, "nsns") for split in ("train", "shots", "test")}
    assert check_task(write_task(rows=rows, variants=variants, **LABELS)) == []


def test_rows_without_ids_are_told_apart_by_their_number(write_task):
    assert check_task(write_task(id=None)) == []


def test_shots_taken_from_the_train_split_are_no_overlap(write_task):
    splits: Json = {"train": "train", "shots": "train", "test": "test"}
    assert check_task(write_task(splits=splits)) == []


def test_readme_missing(write_task):
    task = write_task()
    (task.folder / "README.md").unlink()
    finding = the_finding(task, "readme")
    assert finding.where == str(task.folder)
    assert "say origin, licence and limits" in finding.message


def test_variant_that_changes_nothing(write_task):
    task = write_task(variants={"same": {}})
    finding = the_finding(task, "variants")
    assert finding.where == f"{task.folder}/task.yaml"
    assert finding.message == "variants.same changes nothing"


LOADS: dict[str, tuple[dict[str, Json], str]] = {
    "unknown scorer": ({"scorers": ["exact_mach"]}, "exact_match"),
    "unknown aggregate": ({"aggregates": ["macro_f2"]}, "macro_f1"),
    "unknown split": ({"splits": {"test": "tset"}}, "splits names 'tset'"),
    "template": ({"prompt": "{{ country"}, "prompt: unexpected end of template"),
    "every row": ({"prompt": "{{ cuontry }}"}, "train.jsonl:1: prompt"),
    "no score": ({"scorers": ["score"]}, "no task.py with score"),
}


@pytest.mark.parametrize(("keys", "message"), LOADS.values(), ids=LOADS)
def test_loads_what_keeps_a_task_from_loading(write_task, keys, message):
    rows = {"train": capitals("train", "France Paris")}
    task = write_task(rows=rows, **keys)
    finding = the_finding(task, "loads")
    assert finding.where == f"{task.folder}/task.yaml"
    assert message in finding.message


def test_loads_names_the_line_of_a_data_file(write_task):
    task = write_task()
    with (task.folder / "train.jsonl").open("a", encoding="utf-8") as file:
        file.write("{\n")
    message = the_finding(task, "loads").message
    assert message.startswith(f"{task.folder}/train.jsonl:5: not JSON")


def test_renders_names_each_row_that_does_not_in_any_wording(write_task):
    rows = {"test": [*capitals("test", "Japan Tokyo"), {"id": "test-2", "country": "Egypt"}]}
    task = write_task(rows=rows, variants={"short": {"prompt": "{{ country }}?"}})
    findings = check_task(task)
    place = f"{task.folder}/test.jsonl:2"
    assert [(finding.rule, finding.where) for finding in findings] == [("renders", place)] * 2
    assert "'capital' is undefined" in findings[0].message


def test_ids_used_twice(write_task):
    rows = {"test": capitals("train", "Japan Tokyo", "Egypt Cairo")}
    task = write_task(rows=rows)
    findings = by_rule(check_task(task))
    assert set(findings) == {"ids"}
    assert findings["ids"][0].where == f"{task.folder}/test.jsonl:1"
    assert findings["ids"][0].message == f"id 'train-1' is also at {task.folder}/train.jsonl:1"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (" ", "is blank"),
        ("a ", "begins or ends with a blank"),
        ("x" * 201, "has 201 characters, expected 200 at most"),
        ("a\nb", "a sign that cannot be seen"),
        ("a\u202eb", "a sign that cannot be seen"),
    ],
)
def test_ids_that_no_table_can_show(write_task, name, said):
    rows = {"test": [{"id": name, "country": "Japan", "capital": "Tokyo"}]}
    task = write_task(rows=rows)
    (found,) = by_rule(check_task(task))["ids"]
    assert found.where == f"{task.folder}/test.jsonl:1"
    assert said in found.message


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_columns_that_hold_no_number(write_task, number):
    rows = {
        "test": [*capitals("test", "Japan Tokyo"), {"id": "x", "country": "A", "capital": number}]
    }
    found = by_rule(check_task(write_task(rows=rows)))["empty"]
    assert f"column 'capital' is {number}, no number" in [one.message for one in found]


@pytest.mark.parametrize("empty", ["", None, []])
def test_empty_columns(write_task, empty):
    rows = {"train": capitals("train", "France Paris", "Italy Rome")}
    rows["train"][1]["note"] = empty
    task = write_task(rows=rows)
    finding = the_finding(task, "empty")
    assert finding.where == f"{task.folder}/train.jsonl:2"
    assert finding.message == "column 'note' is empty"


def test_empty_target(write_task):
    task = write_task(target="' '")
    found = by_rule(check_task(task))["empty"]
    assert found[0].where == f"{task.folder}/train.jsonl:1"
    assert found[0].message == "the target is blank"


@pytest.mark.parametrize(
    ("labels", "level"), [("n" * 19 + "s", "error"), ("n" * 14 + "s" * 6, "warning")]
)
def test_balance_of_labels(write_task, labels, level):
    rows = {split: labelled(split, "ns") for split in ("train", "shots")}
    task = write_task(rows=rows | {"test": labelled("test", labels)}, **LABELS)
    finding = the_finding(task, "balance")
    assert finding.level == level
    assert finding.where == f"{task.folder}/task.yaml: splits.test: test"
    assert finding.message.startswith(f"'n' is right in {labels.count('n')} of 20 test rows")


def test_balance_of_positions(write_task):
    keys = LABELS | {"choices": "[capital, 'x']", "answer": "0"}
    rows = {"test": labelled("test", "ns" * 10)}
    finding = the_finding(write_task(rows=rows, **keys), "balance")
    assert finding.message.startswith("position 1 is right in 20 of 20 test rows")


def test_even_labels_are_balanced(write_task):
    rows = {split: labelled(split, "ns" * 10) for split in ("train", "shots", "test")}
    assert check_task(write_task(rows=rows, **LABELS)) == []


@pytest.mark.parametrize(
    ("split", "country"), [("train", "FRANCE"), ("train", " France,"), ("shots", "Norway")]
)
def test_overlap_of_the_same_question(write_task, split, country):
    test = capitals("test", "Japan Tokyo", "Egypt Cairo", "X Y")
    test[2] |= {"country": country, "capital": "Paris"}
    task = write_task(rows={"test": test})
    finding = the_finding(task, "overlap")
    assert (finding.level, finding.where) == ("error", f"{task.folder}/test.jsonl:3")
    assert finding.message == f"the same question is at {task.folder}/{split}.jsonl:1"


def test_questions_that_differ_in_a_sign_are_different(write_task):
    rows = {
        "train": capitals("train", "2+3 five"),
        "test": capitals("test", "2-3 minus", "2*3 six"),
    }
    assert check_task(write_task(rows=rows)) == []


def test_overlap_of_thirteen_words_in_any_column(write_task):
    train, test = capitals("train", "France Paris"), capitals("test", "Japan Tokyo", "Peru Lima")
    train[0]["note"] = f"Long ago. {PASSAGE}, they say."
    test[1]["note"] = f"It is known: {PASSAGE.upper()}!"
    task = write_task(rows={"train": train, "test": test})
    finding = the_finding(task, "overlap")
    assert finding.where == f"{task.folder}/test.jsonl:2"
    assert finding.message.startswith(f"13 words as at {task.folder}/train.jsonl:1: 'the old mill")


def test_twelve_words_are_no_overlap(write_task):
    train, test = capitals("train", "France Paris"), capitals("test", "Japan Tokyo", "Peru Lima")
    train[0]["note"] = test[1]["note"] = " ".join(PASSAGE.split()[:12])
    assert check_task(write_task(rows={"train": train, "test": test})) == []


def test_chinese_overlaps_by_character(write_task):
    train, test = capitals("train", "France Paris"), capitals("test", "Japan Tokyo", "Peru Lima")
    train[0]["note"] = "河边的老磨坊是两兄弟用红砖建成的。"
    test[1]["note"] = "据说河边的老磨坊是两兄弟用红砖建成的"
    finding = the_finding(write_task(rows={"train": train, "test": test}), "overlap")
    assert finding.message.endswith("'河 边 的 老 磨 坊 是 两 兄 弟 用 红 砖'")


def test_phrasing_of_the_whole_data_set_is_no_overlap(write_task):
    train = capitals("train", *(f"Land{number} Town{number}" for number in range(6)))
    test = capitals("test", "Japan Tokyo", "Peru Lima")
    for row in train + test:
        row["note"] = PASSAGE
    assert check_task(write_task(rows={"train": train, "test": test})) == []


def test_gold_answers_that_do_not_score(write_task):
    task = write_task(extract={"how": "number"})
    found = by_rule(check_task(task))["gold"]
    assert found[0].where == f"{task.folder}/train.jsonl:1"
    assert found[0].message == "exact_match gives 0.000, expected 1"


def test_gold_answers_that_cannot_be_scored(write_task):
    code = "def score(example, reply):\n    return len(reply.text)"
    task = write_task(scorers=["score"], code=code)
    found = by_rule(check_task(task))["gold"]
    assert found[0].where == f"{task.folder}/train.jsonl:1"
    assert "score gave 5, outside [0, 1]" in found[0].message


def test_empty_replies_that_score(write_task):
    code = "def score(example, reply):\n    return 0.25"
    task = write_task(scorers=["exact_match", "score"], code=code)
    findings = check_task(task)
    assert {finding.rule for finding in findings} == {"empty reply"}
    assert findings[0].where == f"{task.folder}/test.jsonl:1"
    assert findings[0].message == "score gives 0.250, expected 0"


@pytest.mark.parametrize(
    ("keys", "found", "random"),
    [(LABELS | {"chance": 0.25}, 0.25, 0.5), ({"chance": 0.5}, 0.5, 0.0)],
    ids=["choices", "text"],
)
def test_chance_that_is_not_what_random_replies_score(write_task, keys, found, random):
    chosen = {split: labelled(split, "ns") for split in ("train", "shots", "test")}
    task = write_task(rows=chosen if "choices" in keys else {"test": MANY}, **keys)
    finding = the_finding(task, "chance")
    assert finding.where == f"{task.folder}/task.yaml: chance"
    assert finding.message.startswith(f"found {found}, random replies score {random:.3f} ")


def test_chance_is_not_measured_on_a_handful_of_replies(write_task):
    assert check_task(write_task(chance=0.5)) == []


def test_a_rule_shows_ten_findings_and_counts_the_rest(write_task):
    rows = {"test": capitals("train", *(f"Land{number} Town{number}" for number in range(30)))}
    rows["train"] = rows["test"]
    findings = by_rule(check_task(write_task(rows=rows)))["ids"]
    assert len(findings) == PER_RULE + 1
    assert findings[-1].message == "30 in all"


def test_every_rule_of_the_table_is_broken_somewhere_above():
    source = Path(__file__).read_text(encoding="utf-8")
    for rule in ROW_RULES | REPLY_RULES:
        assert f'"{rule}"' in source or f'["{rule}"]' in source


def test_a_task_of_the_hub_without_its_rows_is_a_warning_unless_they_are_fetched(write_task):
    findings = check_task(write_task(data=HUB), fetch=False)
    assert [(finding.rule, finding.level) for finding in findings] == [("data", "warning")]
    assert "only the keys were checked" in findings[0].message


def test_overlap_within_data_of_the_hub_is_a_warning(write_task, tmp_path):
    for split in ("train", "shots", "test"):
        path = tmp_path / "hub" / "org" / "name" / f"{split}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = capitals(split, "Chad Djamena") if split != "shots" else capitals(split, "A B")
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    findings = check_task(write_task(data=HUB), tmp_path / "hub")
    assert [(finding.rule, finding.level) for finding in findings] == [("overlap", "warning")]


def test_errors_are_raised_together_and_warnings_are_not():
    warning = Finding("balance", "task.yaml", "uneven", "warning")
    raise_findings([warning], 1)
    with pytest.raises(TaskError, match="2 broken rules in 3 task folders"):
        raise_findings([Finding("ids", "a:1", ""), warning, Finding("gold", "a:2", "")], 3)
