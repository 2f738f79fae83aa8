"""The command line: what goes to stdout and stderr, exit codes, interruption, pipes, colours."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer

from bench import cli
from bench.terminal import print_error
from tests.evaluation.folders import CHOOSES, capitals, write_task

BENCH = Path(sys.executable).with_name("bench")
VERBS = typer.main.get_command(cli.app).commands
OPTIONS = [(verb, option) for verb in VERBS for option in VERBS[verb].params]
CELL = {"task", "metric", "estimate", "lo", "hi", "n", "failed"}


@pytest.fixture
def evaluated(bench, tmp_path) -> Path:
    """A run folder of fake:gold on two tasks in tmp_path/t."""
    write_task(tmp_path / "t")
    write_task(tmp_path / "t", "choices", **CHOOSES)
    assert bench("eval fake:gold -t capitals -t choices --tasks t -o runs").code == 0
    return next(tmp_path.glob("runs/*/run.json")).parent


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_every_verb_has_help_on_stdout(bench, verb):
    shown = bench(f"{verb} --help")
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.startswith(f"Usage: bench {verb}".strip())


@pytest.mark.parametrize(("verb", "option"), OPTIONS, ids=lambda value: getattr(value, "name", 0))
def test_every_option_and_argument_says_what_it_is_for(bench, verb, option):
    assert option.help
    # `bench compare A B` calls its arguments what the text around them does.
    argument = isinstance(option, typer.core.TyperArgument)
    called = (argument and option.metavar) or max(option.opts, key=len)
    assert called.casefold() in bench(f"{verb} --help").out.casefold()


def test_where_a_verb_writes_is_called_output_in_all_of_them():
    writes = {"new", "eval", "train", "rank", "ablate", "import", "submit"}
    named = {verb for verb, option in OPTIONS if {"-o", "--output"} <= set(option.opts)}
    assert named == writes


def test_no_verb_at_all_shows_the_help(bench):
    assert bench("").out == bench("--help").out


def test_version_is_one_line(bench):
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*\n", bench("--version").out)


def test_list_json_gives_name_kind_language_suites_and_rows(bench):
    listed = json.loads(bench("list --suite core --json").out)
    (facts,) = [task for task in listed if task["name"] == "facts"]
    rows = facts.pop("rows")
    assert facts == {"name": "facts", "kind": "qa", "language": "en", "suites": ["core", "qa"]}
    assert rows["test"] >= 100
    assert rows.keys() == {"train", "shots", "test"}


@pytest.mark.parametrize(
    ("filters", "key", "values"),
    [
        ("--kind code --suite core", "name", {"python_functions", "python_output"}),
        ("--suite zh", "language", {"zh"}),
        ("--language zh", "name", {"zh_reading", "zh_sentiment"}),
    ],
)
def test_list_filters(bench, filters, key, values):
    assert {task[key] for task in json.loads(bench(f"list {filters} --json").out)} == values


def test_json_of_rescore_is_what_eval_gave(bench, evaluated):
    asked = "eval fake:gold -t capitals -t choices --tasks t -o runs --json"
    document = json.loads(bench(asked).out)
    assert json.loads(bench(f"rescore {evaluated} --tasks t --json").out) == document
    (run,) = document["runs"]
    assert (run["model"], run["run"]) == ("fake:gold", evaluated.name)
    assert [cell["task"] for cell in run["cells"]] == ["capitals", "capitals", "choices"]
    assert all(cell.keys() == CELL and cell["estimate"] == 1.0 for cell in run["cells"])


def test_eval_json_holds_one_entry_for_each_model(bench, evaluated):
    done = bench("eval fake:gold fake:empty -t capitals --tasks t --json")
    runs = json.loads(done.out)["runs"]
    assert [run["model"] for run in runs] == ["fake:gold", "fake:empty"]
    assert [run["cells"][0]["estimate"] for run in runs] == [1.0, 0.0]


def test_show_json_gives_prompts_and_digests(bench, evaluated):
    (row,) = json.loads(bench("show capitals --tasks t --rows 1 --shots 1 --json").out)
    assert row["prompt"].endswith("\n\nThe capital of Japan is")
    assert (row["target"], row["id"]) == ("Tokyo", "test-0")
    assert row["digest"] != row["prompt_digest"]


def test_check_json_lists_findings_and_the_exit_code_tells(bench, evaluated):
    write_task(Path("bad"), "bad", rows=[{**row, "id": "same"} for row in capitals()])
    checked = bench("check bad/bad --json")
    assert checked.code == 1
    found = json.loads(checked.out)
    assert {"rule", "where", "message", "level"} == found[0].keys()
    assert "ids" in {finding["rule"] for finding in found}


def test_new_task_passes_check_and_evaluates(bench):
    assert bench("new riddles --kind qa -o mine").code == 0
    assert bench("check mine/riddles").out.startswith("riddles: ok\n")
    assert bench("eval fake:gold -t riddles --tasks mine").code == 0


def test_progress_and_summary_go_to_stderr(bench, evaluated):
    done = bench("eval fake:gold -t capitals --tasks t -o other")
    assert "capitals  12 requests" in done.err
    assert "12 requests asked, 0 from the ledger, 0 rows failed" in done.err
    assert "requests" not in done.out
    assert "capitals  exact_match  1.000" in done.out


def test_a_summary_tells_no_cost_and_no_requests_where_nothing_was_asked(bench, evaluated):
    again = bench("eval fake:gold -t capitals -t choices --tasks t -o runs")
    assert (
        f"0 requests asked, 24 from the ledger, 0 rows failed: runs/{evaluated.name}" in again.err
    )
    scored = bench(f"rescore {evaluated} --tasks t").err
    assert "24 rows scored again, 0 rows failed: " in scored
    assert "asked" not in scored


def test_one_row_and_one_folder_are_told_as_one(bench, evaluated):
    assert (
        "1 request asked, 0 from the ledger, 0 rows failed"
        in bench("eval fake:gold -t capitals --tasks t --limit 1 -o one").err
    )
    write_task(Path("t"), prompt="{{ contry }}")
    shown = bench("check capitals --tasks t")
    assert " in 1 task folder\n" in shown.err


def test_an_error_is_two_lines_whatever_line_breaks_its_message_has(capsys):
    print_error("damaged:\n  at line 3\n", "mend\nit")
    assert capsys.readouterr().err == "error: damaged: at line 3\n  try: mend it\n"


def test_a_bug_exits_3_and_keeps_the_traceback_in_a_file(tmp_path):
    code = "from bench import cli; cli.app.command('boom')(lambda: 1 / 0); cli.main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "boom"],
        capture_output=True,
        text=True,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("error: bug: ZeroDivisionError: division by zero\n")
    (report,) = tmp_path.glob("bench-bug-*.txt")
    assert str(report) in done.stderr
    assert "Traceback" in report.read_text()


SLEEPS = """
from pathlib import Path
from time import sleep
def score(example, reply):
    Path("scoring").touch()
    sleep(60)
"""


def test_ctrl_c_exits_130_and_says_how_to_go_on(tmp_path):
    write_task(tmp_path / "t", code=SLEEPS, scorers=["score"])
    process = subprocess.Popen(
        [BENCH, "eval", "fake:gold", "-t", "capitals", "--tasks", "t"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (tmp_path / "scoring").exists():
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err == (
        "error: interrupted\n  try: run the same command again: finished portions are kept\n"
    )


@pytest.mark.parametrize("command", ["list", "list --json", "show facts --rows 100"])
def test_a_reader_that_goes_away_is_no_error(command):
    piped = f"{BENCH} {command} | head -c 1"
    done = subprocess.run(piped, shell=True, capture_output=True, text=True)
    assert (len(done.stdout), done.stderr) == (1, "")


@pytest.mark.parametrize(
    "command", ["list", "eval fake:gold -t facts --limit 2", "eval fake:nothing"]
)
def test_no_escape_codes_when_piped(command, tmp_path):
    done = subprocess.run([BENCH, *command.split()], capture_output=True, cwd=tmp_path)
    assert b"\x1b" not in done.stdout + done.stderr


def on_a_terminal(command: str, cwd: Path, **environment: str) -> str:
    """What `bench` writes when stdout and stderr are a terminal."""
    ours, theirs = pty.openpty()
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    process = subprocess.Popen(
        [BENCH, *command.split()], stdout=theirs, stderr=theirs, cwd=cwd,
        env=kept | {"TERM": "xterm-256color", "COLUMNS": "100"} | environment,
    )  # fmt: skip
    os.close(theirs)
    written = b""
    try:
        while part := os.read(ours, 1024):
            written += part
    except OSError:  # how Linux says that the other side is closed
        pass
    process.wait()
    os.close(ours)
    return written.decode()


COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-7]m")


def test_a_terminal_sees_colours_and_bars(tmp_path):
    written = on_a_terminal("eval fake:gold -t facts --limit 2", tmp_path)
    assert COLOUR.search(written)
    assert re.search(r"fake:gold +facts.*2/2", written)


def test_no_color_is_honoured(tmp_path):
    written = on_a_terminal(
        "eval fake:gold fake:nothing -t facts --limit 2", tmp_path, NO_COLOR="1"
    )
    assert "error: " in written
    assert not COLOUR.search(written)
