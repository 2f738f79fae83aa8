"""What all tests share: examples that stay the same, ^C that works, `bench` as a user types it."""

import shlex
import signal
from types import SimpleNamespace

import pytest
from hypothesis import settings

from bench import cli

# The same examples every time; with a hundred the statistics' tests alone take over 20 s. A busy
# machine may be slow.
settings.register_profile("bench", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("bench")

# A shell that starts tests in the background has them ignore ^C, and what they start too.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def bench(capsys, monkeypatch, tmp_path):
    """bench("eval fake:gold ...") in tmp_path: .code, .out and .err of the command."""
    for name in ("BENCH_TASKS", "BENCH_DATA_ROOT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)

    def run(command: str) -> SimpleNamespace:
        monkeypatch.setattr("sys.argv", ["bench", *shlex.split(command)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return SimpleNamespace(code=ended.value.code, out=out, err=err)

    return run
