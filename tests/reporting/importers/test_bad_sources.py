"""Damaged sources: each is refused with one line that names file and key, and one of what to do.

The table holds the importer, what is written into an empty folder, and what cause and remedy say.
"""
# ruff: noqa: E501  # a table is read by line

import json
import re

import pytest

from bench.errors import BenchError
from bench.reporting.importers.table import import_results
from tests.reporting.importers.every_eval_ever_files import foreign, foreign_samples, write_foreign
from tests.reporting.importers.helm_files import helm_run, write_helm
from tests.reporting.importers.inspect_files import inspect_log, write_inspect_zip
from tests.reporting.importers.lm_eval_files import (
    CHOOSE,
    STAMP,
    lm_eval_results,
    lm_eval_samples,
    lm_eval_tasks,
    write_lm_eval,
)
from tests.reporting.importers.sources import (
    annotations,
    squad_rows,
    truth_rows,
    write_csv,
    write_json,
)


def text(name, content):
    return lambda folder: (folder / name).write_bytes(content)


def nothing(folder):
    pass


def squad(**changes):
    """squadv2.csv with its last row changed; a column given as None is left out of all."""

    def write(folder):
        rows = squad_rows()
        rows[-1] |= {name: value for name, value in changes.items() if value is not None}
        dropped = [name for name, value in changes.items() if value is None]
        write_csv(
            folder / "squadv2.csv",
            [{key: row[key] for key in row if key not in dropped} for row in rows],
        )

    return write


def last_row(change):
    """squadv2.csv, the text of its last row changed."""

    def write(folder):
        squad()(folder)
        *rows, last = (folder / "squadv2.csv").read_text().splitlines()
        (folder / "squadv2.csv").write_text("\n".join([*rows, change(last)]))

    return write


def doubled_column(folder):
    squad()(folder)
    header, *rows = (folder / "squadv2.csv").read_text().splitlines()
    (folder / "squadv2.csv").write_text("\n".join([header + ",model_type", *rows]))


def truth(**changes):
    return lambda folder: write_csv(
        folder / "truthful_qa.csv", [{**row, **changes} for row in truth_rows()]
    )


MISSING = "<left out>"


def judged(**changes):
    """Two judgments, the second that of the first changed: a copy of it without changes."""
    row = {"prompt": "Hi", "model": "ppo", "reference": "sft", "winner": "ppo", "judge": "ann"}
    second = {key: value for key, value in (row | changes).items() if value != MISSING}

    def write(folder):
        (folder / "a.jsonl").write_text(f"{json.dumps(row)}\n{json.dumps(second)}\n")

    return write


def toxic(score):
    row = {
        "model_type": "gpt-6b",
        "prompt_type": "basic prompt",
        "context": "a",
        "sample": "b",
        "toxicity": score,
    }
    return lambda folder: write_csv(folder / "real_toxicity.csv", [row])


def lm_eval(results=None, **lines):
    """A folder of lm-eval, the results changed at the top, or the first line of CHOOSE."""

    def write(folder):
        whole, samples = lm_eval_results(lm_eval_tasks()), lm_eval_samples()
        whole |= results or {}
        for task in samples:
            samples[task] = [one | lines for one in samples[task]] if lines else samples[task]
        write_lm_eval(
            folder, {key: value for key, value in whole.items() if value is not None}, samples
        )

    return write


def lm_eval_without_samples(folder):
    write_json(folder / f"results_{STAMP}.json", lm_eval_results(lm_eval_tasks()))


def lm_eval_bad_line(folder):
    write_lm_eval(folder, lm_eval_results(lm_eval_tasks()), lm_eval_samples())
    (folder / "org__one" / f"samples_{CHOOSE}_{STAMP}.jsonl").write_text(
        '{"filter": "none"}\n{"fil'
    )


def inspect(**changes):
    return lambda folder: write_json(folder / "log.json", {**inspect_log(), **changes})


def inspect_told(**changes):
    return inspect(eval={**inspect_log()["eval"], **changes})


def inspect_twice(folder):
    log = inspect_log()
    log["samples"] += log["samples"][:1]
    write_json(folder / "log.json", log)


def inspect_cut_short(folder):
    log = write_inspect_zip(folder / "whole.zip", inspect_log()).read_bytes()
    (folder / "log.eval").write_bytes(log[: len(log) // 2])


def inspect_graded(value):
    log = inspect_log()
    for sample in log["samples"]:
        sample["scores"] = {"choice": {"value": value}}
    return lambda folder: write_json(folder / "log.json", log)


def helm(**changes):
    """A run folder whose files are changed; a file given as None is left out."""
    names = {
        "spec": "run_spec.json",
        "stats": "per_instance_stats.json",
        "state": "scenario_state.json",
    }

    def write(folder):
        files = helm_run() | {names[name]: content for name, content in changes.items()}
        write_helm(
            folder, {name: content for name, content in files.items() if content is not None}
        )

    return write


def helm_scored(score):
    stats = helm_run()["per_instance_stats.json"]
    for stat in stats[0]["stats"]:
        if stat["name"]["name"] == "quasi_exact_match":
            stat["mean"] = score
    return helm(stats=stats)


def alpaca(**changes):
    rows = annotations()
    rows[1] = {key: value for key, value in {**rows[1], **changes}.items() if value != "gone"}
    return lambda folder: write_json(folder / "annotations.json", rows)


def eee(log=None, result=None, sample=None):
    """A foreign record, changed at the top, in its one result, or in its first sample."""

    def write(folder):
        whole, samples = foreign() | (log or {}), foreign_samples()
        if result:
            whole["evaluation_results"][0] |= result
        samples[0] = {
            key: value for key, value in (samples[0] | (sample or {})).items() if value is not None
        }
        write_foreign(folder, whole, samples)

    return write


BAD = [
    ("instructgpt", nothing, "expected one or more of squadv2.csv", "download the CSV files again"),
    ("instructgpt", text("squadv2.csv", b""), "has no column ''; found nothing", "download"),
    ("instructgpt", text("squadv2.csv", b"\xff\xfe"), "squadv2.csv: cannot be read: 'utf-8'", "download"),
    ("instructgpt", squad(ref_text=None), "squadv2.csv: has no column 'ref_text'; found , model_type", "download"),
    ("instructgpt", doubled_column, "squadv2.csv: two columns are named 'model_type'", "download"),
    ("instructgpt", last_row(lambda line: line + ",more"), "squadv2.csv: row 16: is longer than the header", "download"),
    ("instructgpt", last_row(lambda line: line.rsplit(",", 1)[0]), "squadv2.csv: row 16: is shorter than the header", "download"),
    ("instructgpt", squad(model_type="ppo_ptx-xl"), "squadv2.csv: row 16: model_type: 'ppo_ptx-xl' is unknown", "did you mean ppo-ptx-xl"),
    ("instructgpt", squad(prompt_type="few"), "squadv2.csv: row 16: prompt_type: 'few' is unknown", "did you mean fewshot|known: fewshot"),
    ("instructgpt", squad(context="else"), "ppo-ptx-xl fewshot: item 1 is not the one that gpt-xl was asked", "download"),
    ("instructgpt", squad(prompt_type="zeroshot"), "ppo-ptx-xl zeroshot: item 2 is not .* found 3 items, expected the 2", "download"),
    ("instructgpt", toxic("1.2"), "real_toxicity.csv: row 0: toxicity: found '1.2', expected a number from 0 to 1", "download"),
    ("instructgpt", toxic("nan"), "toxicity: found 'nan'", "download"),
    ("instructgpt", truth(true="yes"), "truthful_qa.csv: row 0: true: found 'yes'", "download"),
    ("lm_eval", nothing, r"holds no results_\*.json", "run lm_eval again with --log_samples"),
    ("lm_eval", text("results_1.json", b"{"), "results_1.json: is no JSON", "run lm_eval again"),
    ("lm_eval", text("results_1.json", b"[]"), "results_1.json: found list, expected an object", "run lm_eval again"),
    ("lm_eval", lm_eval_without_samples, "no task has samples .*sums_choose .no samples_sums_choose", "--log_samples"),
    ("lm_eval", lm_eval_bad_line, "samples_sums_choose_.*: line 2: is no JSON", "--log_samples"),
    ("lm_eval", lm_eval({"model_name": None}), "results_.*: model_name: found nothing, expected a text", "--log_samples"),
    ("lm_eval", lm_eval({"date": 1e300}), "results_.*: date: found 1e.300, expected seconds since 1970", "--log_samples"),
    ("lm_eval", lm_eval({"config": 3}), "results_.*: config: found 3, expected an object", "--log_samples"),
    ("lm_eval", lm_eval(doc_hash=None), "samples_.*: line 1: doc_hash: found null, expected a text", "--log_samples"),
    ("lm_eval", lm_eval(acc=1.5), "item 'd0.*': acc: found 1.5, expected 0.0 to 1.0", "--log_samples"),
    ("lm_eval", lm_eval(acc=float("nan")), "samples_.*: line 1: acc: found null, expected a finite number", "--log_samples"),
    ("lm_eval", lm_eval(acc="good"), 'samples_.*: line 1: acc: found "good", expected a finite number', "--log_samples"),
    ("lm_eval", lm_eval(acc=1.0), "the mean of acc is 1.000000, the results state 0.500000", "--log_samples"),
    ("inspect_log", nothing, "holds no .eval and no .json log", "inspect eval"),
    ("inspect_log", text("log.eval", b"PK"), "log.eval: cannot be read as a zip file", "inspect eval"),
    ("inspect_log", inspect_cut_short, "log.eval: cannot be read as a zip file", "inspect eval"),
    ("inspect_log", text("log.json", b"3"), "log.json: found int, expected an object", "inspect eval"),
    ("inspect_log", inspect(version=1), "log.json: version: found 1, expected 2", "inspect eval"),
    ("inspect_log", inspect(samples=None), "log.json: samples: found null, expected a list", "inspect eval"),
    ("inspect_log", inspect(samples=[]), "no score is a number from 0 to 1", "inspect eval"),
    ("inspect_log", inspect(samples=[3]), r"log.json: samples\[0\]: found 3, expected an object", "inspect eval"),
    ("inspect_log", inspect_told(model=None), "log.json: eval.model: found null, expected a text", "inspect eval"),
    ("inspect_log", inspect_twice, r"item 'b' .sample 0. is there twice", "inspect eval"),
    ("inspect_log", inspect_graded(1.5), "item 'a': choice: found 1.5, expected 0.0 to 1.0", "inspect eval"),
    ("inspect_log", inspect_graded("well done"), r"no score is a number from 0 to 1; found \['choice'\]", "inspect eval"),
    ("helm", nothing, "holds no run_spec.json", "give a run folder"),
    ("helm", helm(stats=None), "per_instance_stats.json: not there", "give a run folder"),
    ("helm", helm(stats={}), "per_instance_stats.json: found dict, expected an array", "give a run folder"),
    ("helm", helm(stats=[]), "per_instance_stats.json: holds no instances", "give a run folder"),
    ("helm", helm(stats=[{"stats": []}]), "element 0: instance_id: found nothing, expected a text", "give a run folder"),
    ("helm", helm(stats=[{"instance_id": "id1", "stats": []}]), "no metric is a share of 1", "give a run folder"),
    ("helm", helm(state={"request_states": 1}), "scenario_state.json: request_states: found 1, expected a list", "give a run folder"),
    ("helm", helm(spec={"name": "x"}), "run_spec.json: metric_specs: found nothing, expected a list", "give a run folder"),
    ("helm", helm_scored(1.5), "item 'id1': quasi_exact_match: found 1.5, expected 0.0 to 1.0", "give a run folder"),
    ("helm", helm_scored("good"), 'mean: found "good", expected a finite number', "give a run folder"),
    ("alpaca_eval", nothing, "holds no annotations.json", "give annotations.json"),
    ("alpaca_eval", text("annotations.json", b"[]"), "holds no annotations", "give annotations.json"),
    ("alpaca_eval", text("annotations.json", b"{}"), "found dict, expected an array", "give annotations.json"),
    ("alpaca_eval", alpaca(output_2="gone"), "element 1: output_2: found nothing, expected a text", "give annotations.json"),
    ("alpaca_eval", alpaca(preference=2.5), "element 1: preference: found 2.5, expected null or a number from 1 to 2", "give annotations.json"),
    ("alpaca_eval", alpaca(preference="2"), 'element 1: preference: found "2", expected a finite number', "give annotations.json"),
    ("judgments", nothing, "no file that ends in .jsonl or .csv", "CONTRIBUTING.md"),
    ("judgments", text("a.jsonl", b""), "a.jsonl: holds no judgments", "CONTRIBUTING.md"),
    ("judgments", text("a.jsonl", b"{"), "a.jsonl: line 1: is no JSON", "CONTRIBUTING.md"),
    ("judgments", text("a.jsonl", b'{"winner": "ppo", "winner": "sft"}'), "line 1: is no JSON: the key 'winner' is written twice", "CONTRIBUTING.md"),
    ("judgments", text("a.csv", b"model,winner\nppo,ppo\n"), "a.csv: has no column 'reference'", "CONTRIBUTING.md"),
    ("judgments", text("a.csv", b"model;winner\nppo;ppo\n"), "a.csv: has no column 'model'; found model;winner", "save it with commas"),
    ("judgments", judged(winer="ppo"), "line 2: no column is named 'winer'", "winner"),
    ("judgments", judged(winner="gpt"), "line 2: winner: found \"gpt\", expected 'ppo', 'sft', 'tie' or null", "CONTRIBUTING.md"),
    ("judgments", judged(winner=3), "line 2: winner: found 3, expected a text", "CONTRIBUTING.md"),
    ("judgments", judged(winner=MISSING), "line 2: winner: found nothing, expected the model's name", "CONTRIBUTING.md"),
    ("judgments", judged(preference=1.0), "line 2: preference: found 1.0, expected nothing beside a winner", "CONTRIBUTING.md"),
    ("judgments", judged(winner=MISSING, preference=1.5), "line 2: preference: found 1.5, expected a number from 0", "CONTRIBUTING.md"),
    ("judgments", judged(reference="ppo"), "line 2: reference: found \"ppo\", expected another name", "CONTRIBUTING.md"),
    ("judgments", judged(prompt=MISSING), "line 2: prompt: found nothing, expected a text, or an id", "CONTRIBUTING.md"),
    ("judgments", judged(first="gpt"), "line 2: first: found \"gpt\", expected 'ppo' or 'sft'", "CONTRIBUTING.md"),
    ("judgments", judged(model_characters=-1), "line 2: model_characters: found -1, expected a whole number, 0 or more", "CONTRIBUTING.md"),
    ("judgments", judged(winner=MISSING, preference=float("nan")), "line 2: preference: found NaN, expected a finite number", "CONTRIBUTING.md"),
    ("judgments", judged(winner=MISSING, preference=float("inf")), "line 2: preference: found Infinity, expected a finite number", "CONTRIBUTING.md"),
    ("judgments", judged(winner=MISSING, preference=10**400), "line 2: is no JSON: a number of 401 digits", "CONTRIBUTING.md"),
    ("judgments", judged(winner=MISSING, preference=True), "line 2: preference: found true, expected a number", "CONTRIBUTING.md"),
    ("judgments", judged(parameters=float("nan")), "line 2: parameters: found NaN, expected a whole number, 0 or more", "CONTRIBUTING.md"),
    ("judgments", judged(model_characters=True), "line 2: model_characters: found true, expected a number", "CONTRIBUTING.md"),
    ("judgments", text("a.csv", b"prompt,model,reference,preference\nHi,ppo,sft,nan\n"), "a.csv: row 1: preference: found NaN, expected a finite number", "CONTRIBUTING.md"),
    ("judgments", text("a.csv", b"prompt,model,reference,preference\nHi,ppo,sft,true\n"), 'a.csv: row 1: preference: found "true", expected a finite number', "CONTRIBUTING.md"),
    ("judgments", judged(prompt=" \n"), r'line 2: prompt: found " .n", expected a text, or an id', "CONTRIBUTING.md"),
    ("judgments", judged(prompt=MISSING, id=" "), 'line 2: id: found " ", expected a text, or an id', "CONTRIBUTING.md"),
    ("judgments", judged(model=" ", winner="sft"), 'line 2: model: found " ", expected a name', "CONTRIBUTING.md"),
    ("judgments", judged(model="tie"), 'line 2: model: found "tie", expected a name; tie says', "CONTRIBUTING.md"),
    ("judgments", judged(reference="tie"), 'line 2: reference: found "tie", expected a name; tie says', "CONTRIBUTING.md"),
    ("judgments", judged(stage="rlhf"), 'line 2: stage: found "rlhf", expected one of base, sft, ', "CONTRIBUTING.md"),
    ("judgments", judged(parent="ppo"), 'line 2: parent: found "ppo", expected another model', "CONTRIBUTING.md"),
    ("judgments", judged(parent="ppo", revision="b", parent_revision="b"), 'line 2: parent_revision: found "b", expected another', "CONTRIBUTING.md"),
    ("judgments", judged(stage="ppo", judge="bob"), "line 2: stage: found \"ppo\", expected nothing, as", "CONTRIBUTING.md"),
    ("judgments", judged(parameters=7, judge="bob"), "line 2: parameters: found 7, expected nothing, as", "CONTRIBUTING.md"),
    ("judgments", judged(), "line 2: ann has judged ppo and sft on this prompt already, at .*line 1", "keep one row"),
    ("judgments", judged(model="sft", reference="ppo", first=MISSING), "line 2: ann has judged sft and ppo on this prompt already", "keep one row"),
    ("judgments", text("a.csv", b"model,refrence\nppo,sft\n"), "a.csv: has no column 'reference'", "rename 'refrence'"),
    ("every_eval_ever", nothing, "holds no .json files", "every_eval_ever validate"),
    ("every_eval_ever", text("a.json", b"nope"), "a.json: is no JSON", "every_eval_ever validate"),
    ("every_eval_ever", lambda folder: write_json(folder / "u.json", foreign()), "no score has samples", "every_eval_ever validate"),
    ("every_eval_ever", eee({"detailed_evaluation_results": {"total_rows": 9}}), "u_samples.jsonl: holds 2 lines, u.json states 9", "validate"),
    ("every_eval_ever", eee({"evaluation_results": {}}), "evaluation_results: found {}, expected a list", "validate"),
    ("every_eval_ever", eee(result={"metric_config": {"metric_id": "m", "min_score": 0, "max_score": 1}}), "metric_config.lower_is_better: found nothing, expected true or false", "validate"),
    ("every_eval_ever", eee(result={"score_details": {}}), "score_details.score: found nothing, expected a finite number", "validate"),
    ("every_eval_ever", eee(sample={"sample_id": None}), "line 1: sample_id: found nothing, expected a text", "validate"),
    ("every_eval_ever", eee(sample={"sample_id": "q7#r1"}), "line 2: sample_id: found .*, expected one score of accuracy for each sample", "validate"),
    ("every_eval_ever", eee(sample={"evaluation": {"score": float("nan")}}), "line 1: evaluation.score: found null, expected a finite number", "validate"),
    ("every_eval_ever", eee(sample={"evaluation": {"score": 2.0}}, result={"score_details": {"score": 1.0}}), "item 'q7': accuracy: found 2.0, expected 0.0 to 1.0", "validate"),
    ("every_eval_ever", eee(sample={"metadata": {"bench.id": "a", "bench.sample": "0", "bench.measure.tokens": "many"}}), 'metadata.bench.measure.tokens: found "many", expected a number', "validate"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "write", "cause", "remedy"), BAD)
def test_a_damaged_source_is_refused_by_file_and_key(tmp_path, name, write, cause, remedy):
    write(tmp_path)
    with pytest.raises(BenchError) as error:
        import_results(name, tmp_path)
    assert str(tmp_path) in error.value.cause or name in ("instructgpt", "every_eval_ever")
    assert re.search(cause, error.value.cause), error.value.cause
    assert re.search(remedy, error.value.remedy), error.value.remedy
    assert "\n" not in error.value.cause


@pytest.mark.parametrize("name", ["instructgpt", "lm_eval", "helm"])
def test_a_path_that_is_not_there_is_refused(tmp_path, name):
    with pytest.raises(BenchError, match="nowhere: not there"):
        import_results(name, tmp_path / "nowhere")


@pytest.mark.parametrize("number", ["1" + "0" * 400, "1e999", "1" * 5000])
def test_a_number_beyond_all_floats_is_as_none(tmp_path, number):
    first, *others = annotations()
    path = write_json(tmp_path / "annotations.json", [first | {"preference": None}, *others])
    expected = import_results("alpaca_eval", path)
    path.write_text(path.read_text().replace("null", number, 1))
    assert import_results("alpaca_eval", path).results == expected.results


@pytest.mark.parametrize("version", ["9" * 5000, "²"])
def test_a_version_that_is_no_plain_number_is_as_none(tmp_path, version):
    log = inspect_log()
    log["eval"]["task_version"] = version
    (found,) = import_results("inspect_log", write_json(tmp_path / "log.json", log)).results
    assert found.task.version == 0
