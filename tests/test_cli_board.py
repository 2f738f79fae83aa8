"""The verbs about results, as a user gives them: compare, submit, import, board."""

import json
import re
import urllib.request
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from bench.reporting.results.files import load_result, save_result
from bench.reporting.site.serve import open_server
from bench.store import save_run
from tests.evaluation.folders import CHOOSES, write_task
from tests.reporting.comparison.made import model, result
from tests.reporting.values import as_a_model, descended, records, task

LEFT, RIGHT = [1.0] * 30 + [0.0] * 10, [0.0, 1.0] * 20


@pytest.fixture
def lineage(tmp_path) -> Path:
    """runs/ with a base and the sft made from it, on two tasks."""
    told = (task("facts", rows=40), task("logic", rows=40))
    for name, parent, scores in (("base", "", RIGHT), ("sft", "base", LEFT)):
        made = descended(name, parent, name, name=name, tasks=told)
        rows = [*records("facts", *scores), *records("logic", *RIGHT)]
        save_run(tmp_path / "runs" / name, made, rows)
    return tmp_path / "runs"


@pytest.fixture
def results(tmp_path) -> Path:
    """leaderboard/results with the same lineage."""
    folder = tmp_path / "leaderboard/results"
    save_result(folder, result(model(), RIGHT))
    save_result(folder, result(model("sft", "base", "sft"), LEFT))
    return folder


def test_compare_tells_the_difference_of_each_task_and_of_all(bench, lineage):
    shown = bench("compare sft base")
    assert shown.code == 0
    assert "+0.250" in shown.out
    assert "sft against base:" in shown.err
    assert "pooled" in shown.err


def test_two_names_of_one_run_are_told(bench, lineage):
    assert "sft and sft are one and the same" in bench("compare sft sft").err
    assert "one and the same" not in bench("compare sft base").err


def test_compare_json_holds_what_is_promised(bench, lineage):
    document = json.loads(bench("compare sft base --json").out)
    assert document.keys() >= {"contrasts", "pooled"}
    promised = {"task", "metric", "estimate", "se", "lo", "hi", "p_better", "verdict", "n", "mde"}
    assert all(one.keys() >= promised for one in document["contrasts"])
    assert [one["task"] for one in document["contrasts"]] == ["facts", "logic"]


def test_compare_chooses_the_shots_of_a_model_that_was_asked_with_several(bench, tmp_path):
    for shots, scores in ((0, RIGHT), (5, LEFT)):
        one = replace(result(model(), scores), settings={"shots": shots})
        save_result(tmp_path / "leaderboard/results", one)
    name = model().name
    shown = bench(f"compare {name}@5-shot {name}@0-shot --json")
    assert shown.code == 0, shown.err
    (found,) = json.loads(shown.out)["contrasts"]
    assert found["estimate"] == 0.25
    assert "shots differs (5 against 0)" in found["warnings"]
    refused = bench(f"compare {name}@5-shot {name}@3-shot")
    assert f"{name}@3-shot: {name} was asked with other shots" in refused.err
    assert "--shots 3" in refused.err


def test_compare_takes_run_folders_and_single_tasks(bench, lineage):
    document = json.loads(bench(f"compare {lineage}/sft {lineage}/base -t logic --json").out)
    assert [one["task"] for one in document["contrasts"]] == ["logic"]
    assert document["contrasts"][0]["estimate"] == 0.0


def damage(run):
    (run / "records.jsonl").write_bytes((run / "records.jsonl").read_bytes()[:-40])


@pytest.fixture
def one_damaged(lineage):
    """A third run, cut off in the middle."""
    made = descended("ppo", "sft", "ppo", name="ppo", tasks=(task("facts", rows=40),))
    save_run(lineage / "ppo", made, records("facts", *RIGHT))
    damage(lineage / "ppo")
    return lineage


def test_a_damaged_run_among_others_is_left_out_and_named(bench, one_damaged, tmp_path):
    shown = bench("board build runs -o site")
    assert shown.code == 0, shown.err
    assert "left out, damaged: runs/ppo/records.jsonl" in shown.err.replace("\n", "")
    for name in ("index.html", "methods.html"):
        page = (tmp_path / "site" / name).read_text()
        assert re.search("Damaged, and not on this board: .*ppo.*", page)
        assert str(tmp_path) not in page
    (left_out,) = json.loads(bench("board build runs -o site --json").out)["left_out"]
    assert left_out["path"] == "runs/ppo"
    assert left_out["cause"].startswith("runs/ppo/records.jsonl")
    assert bench("compare sft base").code == 0


def test_a_damaged_run_that_was_named_is_refused(bench, one_damaged):
    for command in ("board build runs/ppo -o site", "compare runs/ppo sft", "compare ppo sft"):
        shown = bench(command)
        assert shown.code == 1
        assert "runs/ppo/records.jsonl" in shown.err.replace("\n", "")


def test_a_board_of_nothing_but_damaged_runs_is_refused(bench, one_damaged):
    for run in ("base", "sft"):
        damage(one_damaged / run)
    shown = bench("board build runs -o site")
    assert shown.code == 1
    assert "runs/base/records.jsonl" in shown.err


def test_the_one_file_overwrites_its_own_page_and_no_other(bench, lineage, tmp_path):
    assert bench("board build runs -o page --one-file").code == 0
    assert bench("board build runs -o page --one-file").code == 0
    foreign = tmp_path / "page" / "index.html"
    foreign.write_text("<p>mine</p>")
    shown = bench("board build runs -o page --one-file")
    assert shown.code == 1
    assert "bench did not write this page" in shown.err
    assert foreign.read_text() == "<p>mine</p>"


REFUSED = [
    ("compare stf base", "stf: no run folder, and no row of runs has this name", "sft"),
    ("compare sft base -t fact", "-t fact: sft was not run on it", "facts"),
    ("compare sft base --runs nowhere", "nowhere: not there", "bench eval"),
    ("board build", "leaderboard/results: not there", "bench eval"),
    ("board check", "leaderboard/results: no results here", "bench submit"),
    ("board check --tasks nowhere", "nowhere: no such task folder", "--tasks"),
    ("board serve -o nowhere", "nowhere: holds no index.html", "bench board build -o nowhere"),
    ("board publish --to org/board", "--to: found 'org/board', expected hf://", "hf://"),
    ("import lm-eval runs", "no importer is named 'lm-eval'", "lm_eval"),
    ("import lm_eval nowhere", "nowhere: not there", "give the file"),
    ("submit nowhere", "nowhere", "bench eval"),
    ("import lm_eval runs --started soon", "--started: found 'soon', expected a time", "mend"),
]


@pytest.mark.parametrize(("command", "cause", "remedy"), REFUSED)
def test_what_cannot_be_done_has_a_cause_and_a_remedy(bench, lineage, command, cause, remedy):
    shown = bench(command)
    assert (shown.code, shown.out) == (1, "")
    assert cause in shown.err
    assert remedy in shown.err


def test_one_task_on_which_two_models_are_equal_is_a_comparison(bench, lineage):
    shown = bench("compare sft base -t logic")
    assert shown.code == 0, shown.err
    assert "cannot be compared" not in shown.err


def test_runs_that_were_not_asked_alike_are_refused_with_the_difference(bench, lineage):
    other = descended("rl", "sft", "ppo", name="rl", tasks=(task("facts", rows=40),))
    asked = replace(other, settings={**other.settings, "shots": 5})
    save_run(lineage / "rl", asked, records("facts", *LEFT))
    shown = bench("compare rl sft")
    assert shown.code == 1
    assert "shots differs (5 against 0)" in shown.err


def test_a_board_of_runs_is_a_site_that_says_what_became_of_each_child(bench, lineage, tmp_path):
    shown = bench("board build runs -o site")
    assert shown.code == 0
    assert "sft against base: undetermined on 2 of 2 tasks" in shown.err
    assert "sft against base" in (tmp_path / "site/index.html").read_text(encoding="utf-8")


def test_one_file_is_one_file(bench, results, tmp_path):
    assert bench("board build -o page --one-file").code == 0
    assert [path.name for path in (tmp_path / "page").iterdir()] == ["index.html"]


def test_a_board_is_built_from_the_results_alone_the_same_each_time(bench, results, tmp_path):
    for site in ("one", "two"):
        assert bench(f"board build -o {site}").code == 0
    files = sorted(path for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert files
    for path in files:
        again = tmp_path / "two" / path.relative_to(tmp_path / "one")
        assert path.read_bytes() == again.read_bytes(), path


def test_check_finds_a_number_that_was_edited_on_a_page(bench, results, tmp_path):
    bench("board build -o site")
    assert bench("board check --site site").code == 0
    page = tmp_path / "site/index.html"
    page.write_text(page.read_text(encoding="utf-8").replace("75", "99"), encoding="utf-8")
    shown = bench("board check --site site")
    assert shown.code == 1
    assert "site/index.html: site: is not what these results give" in shown.out


def test_check_of_a_site_that_is_not_there_says_so(bench, results, tmp_path):
    (tmp_path / "empty").mkdir()
    for site in ("nowhere", "empty"):
        shown = bench(f"board check --site {site}")
        assert shown.code == 1
        assert f"{site}: no site here" in shown.err


def test_pages_of_a_withdrawn_model_go_and_foreign_files_stay(bench, results, tmp_path):
    third = save_result(results, result(model("third"), RIGHT))
    bench("board build -o site")
    assert (tmp_path / "site/lineage/third.html").is_file()
    third.unlink()
    (tmp_path / "site/mine.txt").write_text("mine")
    assert bench("board build -o site").code == 0
    assert not (tmp_path / "site/lineage/third.html").exists()
    assert (tmp_path / "site/mine.txt").read_text() == "mine"
    assert "site/mine.txt: site: is not of these results" in bench("board check --site site").out


def test_a_site_is_not_built_over_files_of_others(bench, results, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/index.html").write_text("mine")
    shown = bench("board build -o mine")
    assert shown.code == 1
    assert "mine: holds files that are no part of a site" in shown.err
    assert (tmp_path / "mine/index.html").read_text() == "mine"


def test_an_import_does_not_overwrite_another_result_unasked(bench, results, tmp_path):
    bench("board export -o eee --organization me --developer you")
    assert bench("import every_eval_ever eee -o back").code == 0
    path = next(tmp_path.glob("back/*/*/topic.json"))
    other = load_result(path)
    scores = {"accuracy": tuple(1.0 for _ in other.items.ids)}
    save_result(tmp_path / "back", replace(other, items=replace(other.items, scores=scores)))
    kept = path.read_bytes()
    assert bench("import every_eval_ever eee -o back").code == 1
    assert path.read_bytes() == kept
    assert bench("import every_eval_ever eee -o back --replace").code == 0
    assert path.read_bytes() != kept


def test_judgments_of_other_weights_of_a_known_name_are_told(bench, results, tmp_path):
    rows = [
        {"prompt": f"p{at}", "model": "sft", "reference": "base", "winner": "sft"}
        for at in range(3)
    ]
    path = tmp_path / "panel.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    shown = bench(f"import judgments panel.jsonl -o {results.relative_to(tmp_path)}")
    assert shown.code == 0
    assert "sft: found revision 'unstated'" in shown.err


def test_an_import_with_half_a_character_is_refused_before_anything_is_written(bench, tmp_path):
    rows = [{"prompt": f"p{at}", "model": "a", "reference": "b", "winner": "a"} for at in range(3)]
    rows[1] |= {"model": "\ud800", "winner": "\ud800"}
    path = tmp_path / "panel.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    shown = bench("import judgments panel.jsonl -o out")
    assert shown.code == 1
    assert "half a character (a lone surrogate)" in shown.err
    assert not (tmp_path / "out").exists()


def test_a_folder_where_a_result_belongs_is_refused(bench, results, tmp_path):
    bench(EXPORT)
    path = next(results.glob("sft/*/topic.json")).relative_to(results)
    (tmp_path / "out" / path).mkdir(parents=True)
    shown = bench("import every_eval_ever eee -o out --replace")
    assert shown.code == 1
    assert f"out/{path}: cannot be read: Is a directory" in shown.err


def test_check_finds_an_edited_score(bench, results):
    path = next(results.glob("sft/*/topic.json"))
    path.write_text(path.read_text().replace("0.0", "1.0", 1))
    shown = bench("board check --json")
    assert shown.code == 1
    errors = [one for one in json.loads(shown.out) if one["severity"] == "error"]
    assert [(one["file"], one["rule"]) for one in errors] == [
        (str(path.relative_to(Path.cwd())), "seal")
    ]


def test_a_board_of_results_that_the_check_refuses_says_so(bench, results):
    again = replace(result(model("copy"), RIGHT), asked=len(RIGHT))
    save_result(results, replace(again, task=replace(again.task, version=2)))
    shown = bench("board build")
    assert shown.code == 0
    (told,) = [line for line in shown.err.splitlines() if line.startswith("this board may mislead")]
    assert "bench board check finds 1 error: leaderboard/results/" in told
    assert ": versions: " in told
    assert told.endswith("; list all: bench board check leaderboard/results")


def test_build_says_nothing_of_a_check_that_passes(bench, results):
    assert "board check" not in bench("board build -o site").err


def test_a_run_is_submitted_and_becomes_a_board(bench, tmp_path):
    write_task(tmp_path / "t", "choices", **CHOOSES)
    assert bench("eval fake:gold -t choices --tasks t -o runs").code == 0
    assert "the fake fake:gold" in bench("submit runs --tasks t -o results").err
    as_a_model(*tmp_path.glob("runs/fake-*"))
    shown = bench("submit runs --tasks t -o results")
    assert shown.code == 0, shown.err
    assert "new" in shown.out
    assert bench("submit runs --tasks t -o results").out.startswith("unchanged")
    assert bench("board build results -o site").code == 0


def test_check_holds_results_to_the_task_folders_that_are_named(bench, tmp_path):
    folder = write_task(tmp_path / "t", "choices", **CHOOSES)
    bench("eval fake:gold -t choices --tasks t -o runs")
    as_a_model(*tmp_path.glob("runs/fake-*"))
    bench("submit runs --tasks t -o results")
    assert bench("board check results --tasks t").code == 0
    file = folder / "task.yaml"
    file.write_text(file.read_text() + "rope: 0.2\n")
    assert bench("board check results").code == 0
    shown = bench("board check results --tasks t")
    assert shown.code == 1
    assert "registry: task.metrics.accuracy.rope: found 0.02, 0.2 by the task folder" in shown.out


def test_problems_of_a_submission_stand_one_a_line_with_file_and_key(bench, tmp_path):
    write_task(tmp_path / "t", "choices", **CHOOSES)
    for limit in (1, 2):
        bench(f"eval fake:gold -t choices --tasks t -o runs --limit {limit}")
    shown = bench("submit runs --tasks t -o results")
    heading, *lines = shown.err.splitlines()
    assert heading == f"error: {len(lines)} problems, so nothing was written:"
    assert [line.split(".")[0].strip() for line in lines] == ["1", "2", "3", "4"]
    assert all("run.json: " in line and "; try: " in line for line in lines)


def test_a_limited_run_is_submitted_only_when_that_is_meant(bench, tmp_path):
    write_task(tmp_path / "t", "choices", **CHOOSES)
    bench("eval fake:gold -t choices --tasks t -o runs --limit 1")
    as_a_model(*tmp_path.glob("runs/fake-*"))
    assert bench("submit runs --tasks t -o results").code == 1
    assert not (tmp_path / "results").exists()
    assert bench("submit runs --tasks t -o results --allow-limit").code == 0


def test_publish_shows_what_would_go_and_pushes_nothing(bench, results):
    bench("board build")
    shown = bench("board publish --to hf://spaces/org/board")
    assert shown.code == 0
    assert "index.html" in shown.out
    assert "nothing was pushed" in shown.err


def test_a_model_is_published_with_its_card_and_its_place_in_a_benchmark(bench, results):
    asked = "board publish --to hf://org/sft --model sft --base-model org/base"
    shown = bench(f"{asked} --benchmark org/bench")
    assert shown.code == 0
    assert "README.md" in shown.out
    assert ".eval_results/instruct-bench.yaml" in shown.out
    assert bench("board publish --to hf://org/sft --model stf").code == 1


def test_results_are_exported_as_every_eval_ever(bench, results, tmp_path):
    shown = bench("board export -o eee --organization me --developer you")
    assert shown.code == 0
    assert "wrote 2 records to eee/data" in shown.err
    assert len(list(tmp_path.glob("eee/data/topic/you/*/*_samples.jsonl"))) == 2
    again = bench("import auto eee -o back")
    assert again.code == 0
    assert "wrote 2 results of 2 models" in again.err


EXPORT = "board export -o eee --organization me --developer you"


def test_an_export_is_written_again_over_its_own_files(bench, results, tmp_path):
    bench(EXPORT)
    samples = sorted(tmp_path.glob("eee/data/*/*/*/*_samples.jsonl"))
    for left in tmp_path.glob("eee/data/*/*/*/*.json"):  # as an export that was killed leaves it
        left.unlink()
    assert bench(EXPORT).code == 0
    assert bench("board export -o eee --organization them --developer you").code == 0
    assert sorted(tmp_path.glob("eee/data/*/*/*/*_samples.jsonl")) == samples


@pytest.mark.parametrize("kind", ["*[0-9a-f].json", "*_samples.jsonl"])
@pytest.mark.parametrize("content", [b"mine", b"", b"{}", b"\xff"])
def test_an_export_overwrites_no_file_of_others(bench, results, tmp_path, kind, content):
    bench(EXPORT)
    *others, foreign = sorted(tmp_path.glob(f"eee/data/*/*/*/{kind}"))
    foreign.write_bytes(content)
    for other in others:
        other.unlink()
    shown = bench(EXPORT)
    assert shown.code == 1
    assert "not as bench board export wrote it, so it is not overwritten" in shown.err
    assert foreign.read_bytes() == content
    assert not any(other.exists() for other in others)


def test_results_with_other_shots_are_exported_beside_each_other(bench, tmp_path):
    for shots in (0, 5):
        one = replace(result(model(), LEFT), settings={"shots": shots})
        save_result(tmp_path / "leaderboard/results", one)
    bench(EXPORT)
    assert len(list(tmp_path.glob("eee/data/*/*/*/*_samples.jsonl"))) == 2


def test_a_manifest_that_was_edited_removes_nothing_outside_the_site(bench, results, tmp_path):
    bench("board build -o site")
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "site/mine").mkdir()
    with (tmp_path / "site/.bench-site").open("ab") as manifest:
        manifest.write(f"../mine.txt\n{tmp_path}/mine.txt\nmine\n\n".encode() + b"\xff\n")
    shown = bench("board build -o site")
    assert shown.code == 0, shown.err
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_a_site_may_take_the_place_of_its_own_one_file(bench, results, tmp_path):
    bench("board build -o site --one-file")
    assert bench("board build -o site").code == 0
    assert (tmp_path / "site/methods.html").is_file()


def test_one_file_takes_the_place_of_a_whole_site(bench, results, tmp_path):
    bench("board build -o site")
    (tmp_path / "site" / "mine.txt").write_text("mine")
    assert bench("board build -o site --one-file").code == 0
    assert sorted(one.name for one in (tmp_path / "site").iterdir()) == ["index.html", "mine.txt"]


def test_a_link_to_nowhere_among_published_results_is_named(bench, results):
    (results / "gone").symlink_to("nowhere")
    shown = bench("board publish --to hf://datasets/org/results")
    assert shown.code == 1
    assert "leaderboard/results: cannot be copied" in shown.err


def test_a_publisher_whose_name_is_no_text_is_refused(bench, results, tmp_path):
    shown = bench("board export -o eee --organization me --developer \udcff")
    assert shown.code == 1
    assert "is no name to publish under" in shown.err
    assert not (tmp_path / "eee").exists()


def test_the_site_is_served_as_it_lies_there(tmp_path):
    (tmp_path / "index.html").write_text("hello")
    with open_server(tmp_path, 0) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/") as page:
            assert page.read() == b"hello"
        server.shutdown()


def test_import_says_what_the_board_will_refuse(bench, tmp_path):
    """A record of every_eval_ever has no place for an item that failed: it comes back short."""
    save_result(tmp_path / "given", result(model(), [*RIGHT[:-1], None]))
    assert bench("board export -o out --organization O --developer D --results given").code == 0
    shown = bench("import every_eval_ever out -o back")
    assert shown.code == 0, shown.err
    assert "bench board check refuses back/base/r-base/topic.json: counts: asked" in shown.err
    assert bench("board check back").code == 1


def test_names_cannot_turn_a_table_of_the_terminal_around(bench, lineage):
    hidden = descended("\u202eevil", "sft", "ppo", name="evil", tasks=(task("facts", rows=40),))
    save_run(lineage / "evil", hidden, records("facts", *RIGHT))
    shown = bench("board build runs -o site")
    assert shown.code == 0, shown.err
    assert "evil" in shown.out
    assert "\u202e" not in shown.out
