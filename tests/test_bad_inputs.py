"""Bad inputs: each exits 1 with one line of cause, one of remedy, and no traceback.

The table holds what is prepared in an empty folder, the command, and what cause and remedy say.
The folder `t` holds a good task `capitals` unless something else is prepared there.
"""
# ruff: noqa: E501  # a table is read by line

import json
import os
import re
import resource
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.cli import main
from tests.evaluation.folders import CHOOSES, capitals, write_task

Prepare = Callable[[], object]
CAPITALS = "eval fake:gold -t capitals --tasks t"
OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_HOME": "empty"}


def task(**keys) -> Prepare:
    """A task folder t/capitals with these keys."""
    return lambda: write_task(Path("t"), **keys)


def edited(file: str, old: str, new: str) -> Prepare:
    """The good task with a change in one of its files."""

    def prepare() -> None:
        path = write_task(Path("t")) / file
        path.write_text(path.read_text().replace(old, new, 1))

    return prepare


def files(contents: dict[str, str | bytes]) -> Prepare:
    """Files by path."""

    def prepare() -> None:
        for name, content in contents.items():
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())

    return prepare


def two_of_one_name() -> None:
    write_task(Path("t"))
    write_task(Path("u"))


def a_run_then(change: Callable[[Path], object]) -> Prepare:
    """A run of the good task in runs/, then `change` on runs/ or the task."""

    def prepare() -> None:
        write_task(Path("t"))
        with pytest.raises(SystemExit):
            call(f"{CAPITALS} -o runs")
        change(Path("runs"))

    return prepare


def cut_run_json(runs: Path) -> None:
    (file,) = runs.glob("*/run.json")
    file.write_text(file.read_text()[:-50])
    file.parent.rename(runs / "run")


def call(command: str) -> None:
    """Run the command in this process."""
    before, sys.argv = sys.argv, ["bench", *shlex.split(command)]
    try:
        main()
    finally:
        sys.argv = before


EMPTY_WEIGHTS = (2).to_bytes(8, "little") + b"{}"
LLAMA = {"m/config.json": '{"model_type": "llama"}', "m/model.safetensors": EMPTY_WEIGHTS}
TABLE = [
    # Names
    ("unknown task", task(), "eval fake:gold -t fcats", "no task or suite is named 'fcats'", "did you mean facts"),
    ("unknown suite", task(), "list --suite cor", "no suite is named 'cor'", "did you mean core"),
    ("unknown kind", task(), "new riddles --kind qq", "'qq' is no kind", "known: .*qa"),
    ("unknown language", task(), "list --language xx", "no task is in 'xx'", "known: en, zh"),
    ("unknown fake", task(), "eval fake:golden -t facts", "no fake is named 'fake:golden'", "did you mean gold"),
    ("unknown variant", task(variants={"brief": {"prompt": "x"}}), CAPITALS + " --variant breif", "'capitals' has no variant 'breif'", "did you mean brief"),
    ("unknown scorer", task(scorers=["exact_mach"]), CAPITALS, "t/capitals/task.yaml: scorers: no scorer is named 'exact_mach'", "did you mean exact_match"),
    ("two tasks of one name", two_of_one_name, CAPITALS + " --tasks u", "two tasks are named 'capitals': .*/t/capitals/task.yaml and .*/u/capitals/task.yaml", "rename"),
    ("name of a new task", task(), "new My-Task --kind qa", "'My-Task' is no task name", "lower-case"),
    ("new task exists", task(), "new capitals --kind qa -o t", "t/capitals: exists already", "choose another name"),
    # Options
    ("unknown verb", task(), "evaluate facts", "No such command 'evaluate'", "bench --help"),
    ("unknown option", task(), "list --suit core", "No such option: --suit", "bench list --help"),
    ("missing argument", task(), "eval", "Missing argument 'models'", "bench eval --help"),
    ("limit 0", task(), CAPITALS + " --limit 0", "Invalid value for '--limit'", "bench eval --help"),
    ("limit is no number", task(), CAPITALS + " --limit all", "Invalid value for '--limit'", "bench eval --help"),
    ("chat without a template", task(), CAPITALS + " --chat on", "fake:gold has no chat template", "--chat off"),
    ("system without a template", task(), CAPITALS + " --system Hi", "--system needs a chat template", "leave --system out"),
    ("too many shots", task(), CAPITALS + " --shots 99", "capitals: 99 shots asked for, 1[12] rows can be shown", "--shots 1[12]"),
    ("tokens of no model", task(), "show facts --tokens", "--tokens needs a model", "bench show facts --model"),
    ("tasks folder missing", task(), "list --tasks nowhere", "nowhere: no such task folder", "--tasks"),
    ("tasks folder empty", lambda: Path("none").mkdir(), "list --tasks none", "none: holds no task.yaml", "bench new"),
    # task.yaml
    ("YAML typo", edited("task.yaml", "kind: qa", "kind: [qa"), CAPITALS, r"t/capitals/task.yaml:\d+: not readable as YAML", "mend the line"),
    ("not a mapping", edited("task.yaml", "answer", "- answer"), CAPITALS, r"t/capitals/task.yaml:\d+: not readable as YAML", "mend"),
    ("unknown key", task(promt="x"), CAPITALS, "t/capitals/task.yaml: promt: unknown key", "did you mean prompt"),
    ("missing key", task(answer=None), CAPITALS, "t/capitals/task.yaml: answer: missing", "add the key answer"),
    ("wrong value", task(version="one"), CAPITALS, "t/capitals/task.yaml: version: found 'one'", "CONTRIBUTING.md"),
    ("wrong split", task(splits={"test": "tset"}), CAPITALS, "t/capitals/task.yaml: splits names 'tset', data.files has no such split", "did you mean test"),
    ("template error", task(prompt="{{ country"), CAPITALS, "t/capitals/task.yaml: prompt: unexpected end of template", "mend the template"),
    ("missing column", task(prompt="{{ contry }}"), CAPITALS, r"test.jsonl:\d+: prompt .*'contry' is undefined", "capital, country"),
    ("answer is no choice", task(**CHOOSES, answer="country"), CAPITALS, r"test.jsonl:\d+: answer: found '\w+', expected one of", "mend the row"),
    ("task.py cannot be imported", task(code="import nothing_such"), CAPITALS, "t/capitals/task.py: cannot be imported: ModuleNotFoundError", "mend task.py"),
    # Data
    ("bad JSON line", edited("test.jsonl", '"Peru"', "Peru"), CAPITALS, "t/capitals/test.jsonl:3: not JSON", "mend the line"),
    ("no rows", task(rows=[]), CAPITALS, "capitals: split 'test' holds no rows", "add rows"),
    ("data file missing", edited("task.yaml", "test: test.jsonl", "test: tset.jsonl"), CAPITALS, "t/capitals/tset.jsonl: no such data file", "add the file"),
    ("data root missing", task(), "eval fake:gold -t gsm8k --data-root nowhere", "nowhere: no such data folder", "BENCH_DATA_ROOT"),
    # Models
    ("absent model", task(), "eval nothing -t facts", "no model is named 'nothing'", "known: fake:constant"),
    ("script of a fake missing", task(), "eval fake:scripted=no.jsonl -t facts", "no.jsonl: not a script of replies", "write lines such as"),
    ("folder without a model", lambda: Path("m").mkdir(), "eval ./m -t facts", "m: holds neither config.json nor adapter_config.json", "save_pretrained"),
    ("weights missing", files({"m/config.json": "{}"}), "eval ./m -t facts", r"m: holds no model\*.safetensors", "restore the weights"),
    ("corrupt safetensors", files({**LLAMA, "m/model.safetensors": b"\x10" * 99}), "eval ./m -t facts", "m/model.safetensors: damaged safetensors file", "download or save"),
    ("pickle-only weights", files({"m/config.json": "{}", "m/pytorch_model.bin": "x"}), "eval ./m -t facts", "m/pytorch_model.bin: the weights are a pickle", "--allow-pickle"),
    ("adapter without base", files({"m/adapter_config.json": "{}"}), "eval ./m -t facts", "m/adapter_config.json: base_model_name_or_path: found None", "--base FOLDER"),
    ("adapter of an absent base", files({"m/adapter_config.json": '{"base_model_name_or_path": "gone"}'}), "eval ./m -t facts", "m/adapter_config.json: base_model_name_or_path: no such model 'gone'", "--base FOLDER"),
    ("adapter_config that is a list", files({"m/adapter_config.json": "[]"}), "eval ./m -t facts", "m/adapter_config.json: base_model_name_or_path: found None", "--base FOLDER"),
    ("adapter of an adapter", files({"m/adapter_config.json": '{"base_model_name_or_path": "./m"}'}), "eval ./m -t facts", "m: is named as a base, but is an adapter itself", "--base FOLDER"),
    ("second model unknown", files({}), "eval fake:gold fake:nothing -t facts --limit 1", "no fake is named 'fake:nothing'", "known"),
    ("suite in place of a task", files({}), "show core", "'core' is a suite", "bench show"),
    ("base of no adapter", files(LLAMA), "eval ./m -t facts --base x", "m: is no adapter, so --base means nothing", "leave --base out"),
    ("absent device", files(LLAMA), "eval ./m -t facts --device cuda:77", "device 'cuda:77' cannot be used", "--device cpu"),
    ("unknown device", files(LLAMA), "eval ./m -t facts --device abacus", "device 'abacus' cannot be used", "--device cpu"),
    # Runs
    ("output is a file", files({"taken": ""}), "eval fake:gold -t facts --limit 1 -o taken", "taken/ledger.sqlite: .*File exists", "choose another folder with -o"),
    ("damaged ledger", files({"runs/ledger.sqlite": "garbage" * 99}), "eval fake:gold -t facts --limit 1", "runs/ledger.sqlite: damaged: file is not a database", "move runs/ledger.sqlite away"),
    ("no run here", lambda: Path("runs").mkdir(), "board build runs", "runs: holds neither runs nor results", "bench eval"),
    ("damaged run.json", a_run_then(cut_run_json), "board build runs", "runs/run/run.json: file: Invalid JSON", "run the evaluation again"),
    ("rescore changed items", a_run_then(lambda runs: write_task(Path("t"), rows=capitals()[1:])), "rescore runs --tasks t", "task capitals: row test-0 is not what it was", "bench eval"),
    ("rescore without the task", a_run_then(lambda runs: Path("t/capitals").rename("gone")), "rescore runs", "runs/fake-gold-.*: no task or suite is named 'capitals'", "--tasks DIR"),
]  # fmt: skip


def assert_well_said(code: int, out: str, err: str, cause: str, remedy: str) -> None:
    """Exit 1, nothing on stdout, one line of cause and one of remedy at the end of stderr."""
    assert code == 1, err
    assert out == ""
    assert "Traceback" not in err
    assert [line[:7] for line in err.splitlines()].count("error: ") == 1
    *_, said, advised = err.splitlines()
    assert re.search(f"^error: .*(?:{cause})", said)
    assert re.search(f"^  try: .*(?:{remedy})", advised)


def test_the_table_holds_more_than_twenty_bad_inputs_once_each():
    names = [row[0] for row in TABLE]
    assert len(names) == len(set(names)) >= 20


@pytest.mark.parametrize(
    ("prepare", "command", "cause", "remedy"), [pytest.param(*row[1:], id=row[0]) for row in TABLE]
)
def test_a_bad_input_gets_a_cause_and_a_remedy(
    tmp_path, monkeypatch, capsys, prepare, command, cause, remedy
):
    for name in ("BENCH_TASKS", "BENCH_DATA_ROOT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    prepare()
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        call(command)
    assert_well_said(ended.value.code, *capsys.readouterr(), cause, remedy)


@pytest.mark.parametrize(
    ("command", "environment", "bytes_per_file", "cause", "remedy"),
    [
        ("eval fake:gold -t reading", {}, 60_000, "ledger.sqlite: .*; answers already kept stay there", "free some space"),
        ("eval fake:gold -t facts --limit 1", {}, 2_000, "cannot be written|ledger.sqlite: ", "free some space"),
        ("eval fake:gold -t gsm8k", OFFLINE, -1, "gsm8k: openai/gsm8k split 'test' is not mirrored and cannot be loaded from the Hub", r"put the rows at \$BENCH_DATA_ROOT/openai/gsm8k/main/test-00000-of-00001.parquet"),
        ("eval some-org/some-model -t facts", OFFLINE, -1, "some-org/some-model: is no local folder and cannot be fetched from the Hub", "local folder"),
        ("list", {"BENCH_TASKS": "gone"}, -1, "gone: no such task folder", "--tasks"),
        ("list", {"BENCH_DATA_ROOT": "gone"}, -1, "gone: no such data folder", "BENCH_DATA_ROOT"),
    ],
    ids=["full disk", "full at once", "Hub data offline", "Hub model offline", "BENCH_TASKS", "BENCH_DATA_ROOT"],
)  # fmt: skip
def test_a_bad_surrounding_gets_a_cause_and_a_remedy(
    tmp_path, command, environment, bytes_per_file, cause, remedy
):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BENCH_")}
    done = subprocess.run(
        [sys.executable, "-m", "bench", *command.split()],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=kept | environment,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_per_file,) * 2),
    )
    assert_well_said(done.returncode, done.stdout, done.stderr, cause, remedy)


def test_a_broken_folder_nobody_asked_for_does_not_stop_the_others(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_task(tmp_path / "t")
    write_task(tmp_path / "t", "broken", promt="x")
    with pytest.raises(SystemExit) as ended:
        call(f"{CAPITALS} --json")
    assert ended.value.code == 0
    assert json.loads(capsys.readouterr().out)["runs"][0]["cells"][0]["estimate"] == 1.0
