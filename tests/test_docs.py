"""README and CONTRIBUTING say what the program does: commands parse, nothing is left out."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from bench.cli import app
from bench.registry.folder import embedded_folder
from bench.scoring.scorers import SCORERS
from tests.tables import tasks, with_tables

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
VERBS = typer.main.get_command(app).commands
FOLDERS = sorted(file.parent for file in embedded_folder().glob("*/task.yaml"))


def commands(text: str) -> list[str]:
    """The lines of ```sh blocks that run bench, continued lines joined."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if line.startswith("bench ")]


def test_readme_shows_commands():
    assert len(commands(README)) >= 5


@pytest.mark.parametrize("line", commands(README))
def test_a_command_in_the_readme_parses(line):
    _, verb, *arguments = shlex.split(line, comments=True)
    command = VERBS[verb]
    if isinstance(command, typer.core.TyperGroup):  # bench board build ...
        command = command.commands[arguments.pop(0)]
    context = command.make_context(f"bench {verb}", arguments)
    assert not context.args  # whatever does not parse raises or is left over


@pytest.mark.parametrize("verb", VERBS)
def test_the_readme_mentions_every_verb(verb):
    assert f"bench {verb}" in README


@pytest.mark.parametrize("command", ["make demo", "make test", "make check", "make slow"])
def test_a_make_target_that_the_readme_names_exists(command):
    assert command in README
    assert re.search(rf"^{command.split()[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_task_has_a_readme_that_says_origin_licence_and_limits(folder):
    text = (folder / "README.md").read_text("utf-8")
    for words in ("Origin:|written", "Licence:|CC0", "[Ll]imits:"):
        assert re.search(words, text)


@pytest.mark.parametrize("file", ["CONTRIBUTING.md", "bench/recipes/README.md"])
def test_the_generated_tables_are_up_to_date(file):
    assert (ROOT / file).read_text("utf-8") == with_tables(file), "run python -m tests.tables"


def test_every_row_of_the_task_table_is_true():
    table = README.split("<!-- tasks: begin -->")[1].split("<!-- tasks: end -->")[0]
    assert set(table.strip().splitlines()) <= set(tasks().splitlines()), (
        "run python -m tests.tables"
    )


@pytest.mark.parametrize("name", SCORERS)
def test_contributing_names_every_scorer(name):
    assert f"`{name}`" in (ROOT / "CONTRIBUTING.md").read_text("utf-8")


@pytest.mark.parametrize("file", ["README.md", "CONTRIBUTING.md", "bench/recipes/README.md"])
def test_links_to_files_of_the_repository_lead_somewhere(file):
    targets = re.findall(r"\]\(([^)#:]+)\)", (ROOT / file).read_text("utf-8"))
    assert [target for target in targets if not ((ROOT / file).parent / target).exists()] == []


def test_options_that_the_readme_gives_for_those_of_lm_eval_are_options_of_eval():
    rows = re.findall(r"^\| `--[^|]*\|([^|]*)\|$", README, flags=re.MULTILINE)
    named = {flag for row in rows for flag in re.findall(r"(?<![\w-])--?[a-z][a-z-]*", row)}
    known = {flag for option in VERBS["eval"].params for flag in option.opts}
    assert len(rows) >= 10
    assert named <= known
