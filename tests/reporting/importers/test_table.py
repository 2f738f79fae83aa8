"""The table of importers, and the guess which one fits."""

from pathlib import Path

import pytest

from bench.errors import RunError, UsageError
from bench.reporting.importers.every_eval_ever_export import save_every_eval_ever
from bench.reporting.importers.table import IMPORTERS, guess_importer, import_results
from tests.reporting.importers.every_eval_ever_files import PUBLISHER, WHOLE
from tests.reporting.importers.helm_files import HELM_RUN, helm_run, write_helm
from tests.reporting.importers.inspect_files import inspect_log, write_inspect_zip
from tests.reporting.importers.judgment_rows import judged_rows, write_lines
from tests.reporting.importers.lm_eval_files import (
    lm_eval_results,
    lm_eval_samples,
    lm_eval_tasks,
    write_lm_eval,
)
from tests.reporting.importers.sources import annotations, squad_rows, write_csv, write_json

WRITERS = {
    "instructgpt": lambda folder: write_csv(folder / "squadv2.csv", squad_rows()).parent,
    "lm_eval": lambda folder: write_lm_eval(
        folder, lm_eval_results(lm_eval_tasks()), lm_eval_samples()
    ),
    "inspect_log": lambda folder: write_inspect_zip(folder / "log.eval", inspect_log()),
    "helm": lambda folder: write_helm(folder / HELM_RUN, helm_run()),
    "alpaca_eval": lambda folder: write_json(folder / "annotations.json", annotations()),
    "judgments": lambda folder: write_lines(folder / "panel.jsonl", judged_rows(prompts=2)),
    "every_eval_ever": lambda folder: save_every_eval_ever(folder, WHOLE, PUBLISHER) and folder,
}


@pytest.mark.parametrize("name", IMPORTERS)
def test_each_importer_is_guessed_from_what_its_tool_writes_and_reads_it(tmp_path, name):
    path = WRITERS[name](tmp_path)
    assert guess_importer(path) == name
    assert import_results(name, path).results


def test_an_inspect_log_as_json_is_known_too(tmp_path):
    assert guess_importer(write_json(tmp_path / "log.json", inspect_log())) == "inspect_log"


def test_a_source_of_another_tool_is_refused_with_the_importer_that_fits(tmp_path):
    path = WRITERS["alpaca_eval"](tmp_path)
    with pytest.raises(RunError) as error:
        import_results("lm_eval", path)
    assert error.value.remedy == f"bench import alpaca_eval {path}"


def test_a_name_that_is_almost_right_is_put_right():
    with pytest.raises(UsageError, match="did you mean lm_eval"):
        import_results("lm-eval", Path("anywhere"))


def test_what_no_importer_knows_is_refused_with_all_of_them(tmp_path):
    path = write_json(tmp_path / "x.json", {"a": 1})
    with pytest.raises(RunError, match="is of no tool that is known") as error:
        guess_importer(path)
    assert all(name in error.value.remedy for name in IMPORTERS)


def test_a_folder_of_two_tools_is_refused_with_both(tmp_path):
    WRITERS["helm"](tmp_path)
    WRITERS["alpaca_eval"](tmp_path)
    with pytest.raises(RunError, match="may be any of helm, alpaca_eval"):
        guess_importer(tmp_path)


def test_a_time_is_filled_in_only_where_the_source_says_none(tmp_path):
    path = WRITERS["alpaca_eval"](tmp_path)
    (result,) = import_results("alpaca_eval", path, started="2023-06-01").results
    assert result.provenance.started == "2023-06-01"
    path = WRITERS["inspect_log"](tmp_path / "other")
    (result,) = import_results("inspect_log", path, started="2023-06-01").results
    assert result.provenance.started == "2025-10-21T01:12:04+02:00"
