"""A wheel in a fresh environment lists and runs the embedded tasks from any directory."""

import json
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """An environment with the wheel; what it depends on is borrowed from this one.

    A path in a .pth file is searched for packages, but not for further .pth files: this
    environment's editable bench is not found through it.
    """
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "env", with_pip=False)
    (packages,) = (folder / "env").glob("lib/python*/site-packages")
    python = folder / "env/bin/python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-index", wheel], check=True, capture_output=True)
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "env/bin"


def run(command: list[str | Path], cwd: Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=cwd).stdout


def test_the_tasks_come_from_the_wheel(installed, tmp_path):
    code = "from bench.registry.folder import embedded_folder; print(embedded_folder())"
    found = Path(run([installed / "python", "-c", code], tmp_path).strip())
    assert found.parts[-2:] == ("bench", "_tasks")
    assert found.is_relative_to(installed.parent)


def test_bench_lists_the_tasks_of_the_checkout(installed, tmp_path):
    listed = json.loads(run([installed / "bench", "list", "--json"], tmp_path))
    assert {task["name"] for task in listed} == {
        file.parent.name for file in ROOT.glob("tasks/*/task.yaml")
    }


def test_bench_evaluates_an_embedded_task(installed, tmp_path):
    command = ["eval", "fake:gold", "-t", "facts", "-t", "python_functions", "--limit", "4"]
    told = json.loads(run([installed / "bench", *command, "--json"], tmp_path))
    scores = [cell["estimate"] for cell in told["runs"][0]["cells"] if cell["metric"] != "ece"]
    assert scores[0] == scores[-1] == 1.0
    assert (tmp_path / "runs/ledger.sqlite").exists()


def test_bench_writes_a_board(installed, tmp_path):
    run([installed / "bench", "eval", "fake:gold", "-t", "facts", "--limit", "4"], tmp_path)
    run([installed / "bench", "board", "build", "runs", "-o", "site"], tmp_path)
    assert "<html" in (tmp_path / "site/index.html").read_text()
