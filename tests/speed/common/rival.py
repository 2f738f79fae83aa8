"""lm-evaluation-harness in a virtual environment of its own, beside our versions of torch & Co.

It is made once, under the cache of `bench`, as the Makefile makes ours: torch first and pinned.

    ~/.cache/instruct-bench/lm-eval-0.4.13/bin/python
"""

import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from bench.models.gguf import cache_folder

LM_EVAL = "0.4.13"
SHARED = ("torch", "transformers", "tokenizers", "numpy")  # of both, in the same versions
ROOT = Path(__file__).parents[3]
STAMP = "installed.txt"


class NoRivalError(Exception):
    """lm-eval cannot be installed here; the message says why."""


def rival_python(given: Path | None = None) -> Path:
    """The interpreter that has lm-eval: `given`, or one that is installed on first use (some
    minutes, 2 GiB).

    Raises:
        NoRivalError: pip failed, or the interpreter has other versions than ours.
    """
    if given is not None:
        _require_same_versions(given, _wanted() + f"lm-eval=={LM_EVAL}\n")
        return given
    folder = cache_folder() / f"lm-eval-{LM_EVAL}"
    python = folder / "bin" / "python"
    wanted = _wanted()
    stamp = folder / STAMP
    if python.exists() and stamp.is_file() and stamp.read_text() == wanted:
        return python
    print(f"installing lm-eval {LM_EVAL} in {folder}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(folder)])
    pip = [str(python), "-m", "pip", "install", "--quiet", "--constraint", "constraints.txt"]
    _run([*pip, f"torch=={version('torch')}"])
    _run([*pip, f"lm-eval[hf]=={LM_EVAL}"])
    _require_same_versions(python, wanted)
    stamp.write_text(wanted)
    return python


def _wanted() -> str:
    """Our versions of what both have, a line each."""
    return "".join(f"{name}=={version(name)}\n" for name in SHARED)


def _run(command: list[str]) -> str:
    """What `command` prints, run in the repository."""
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        shown = command[: command.index("-c")] if "-c" in command else command
        raise NoRivalError(f"{' '.join(shown)}: {said[-1]}")
    return done.stdout


def _require_same_versions(python: Path, wanted: str) -> None:
    code = (
        "import sys; from importlib.metadata import version\n"
        "for name in sys.argv[1:]: print(f'{name}=={version(name)}')"
    )
    names = [line.split("==")[0] for line in wanted.splitlines()]
    found = _run([str(python), "-c", code, *names])
    if found != wanted:
        raise NoRivalError(f"{python} has {found.split()}, expected {wanted.split()}")
