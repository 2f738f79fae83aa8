"""Run a Python program that nobody has read: without network, files, processes or much memory.

`code.py` calls this for model-written code. The program runs in a fresh interpreter that shuts
itself in (Landlock and seccomp, no privilege needed; see `child.py`), with resource limits,
an empty environment, the standard library only, and a temporary folder that is deleted afterwards.
Where the kernel offers no such means a SandboxError says what to do; nothing is run in the open
unless `unsafe` asks for it.

>>> run_python("print(6 * 7)").stdout
'42\\n'
"""

import marshal
import math
import os
import resource
import secrets
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from bench.errors import SandboxError
from bench.scoring.sandbox import kernel, landlock, seccomp
from bench.scoring.sandbox.child import EXIT_MEMORY, OPEN_FILES, STARTED, Job
from bench.scoring.sandbox.watch import Breach, Limits, Watch

__all__ = ["Limits", "Outcome", "Script", "require_sandbox", "run_python", "run_script"]

Status = Literal["ok", "error", "timeout", "memory", "output", "killed"]

# Run without importing the package's __init__ files: they would load what the child cannot use.
STUB = """
import sys
for name, folder in {packages!r}.items():
    sys.modules[name] = type(sys)(name)
    sys.modules[name].__path__ = [folder]
from bench.scoring.sandbox.child import main
main()
"""
LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64")
DATA = ("/dev/urandom", "/etc/ld.so.cache", "/etc/localtime", "/usr/share/zoneinfo")


@dataclass(frozen=True, slots=True)
class Script:
    """What is run: `chunks` in turn in one namespace, then `test`, then each of `calls`.

    `test` finds the function called `entry_point` under the name `child.ENTRY_POINT`,
    guarded against answers that claim to equal anything.
    """

    chunks: tuple[str, ...]
    test: str = ""
    entry_point: str = ""
    calls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    "ok": all of it came to its end. "error": an exception, SystemExit included, or an exit before
    the end. "timeout", "memory", "output": a limit was met. "killed": a signal, or too many threads
    or files. `result` is the trusted part's report: the value of each call as source text, None for
    one that raised or is no literal; the whole is None unless the end was reached.
    """

    status: Status
    stdout: str
    stderr: str
    result: tuple[str | None, ...] | None
    seconds: float


DEFAULT = Limits()


def run_python(program: str, limits: Limits = DEFAULT, unsafe: bool = False) -> Outcome:
    """Run `program` as a script in the sandbox.

    `unsafe` leaves out the isolation and keeps the limits on one process.

    Raises:
        SandboxError: this machine cannot isolate it, or the child did not start.
    """
    return run_script(Script((program,)), limits, unsafe)


def run_script(script: Script, limits: Limits = DEFAULT, unsafe: bool = False) -> Outcome:
    """Run `script` in the sandbox; see `run_python`."""
    require_sandbox(unsafe)
    token = secrets.token_hex(16).encode()
    started = time.monotonic()
    with _folder() as folder, tempfile.TemporaryFile() as job, Watch(folder) as watch:
        request = _job(script, limits, unsafe, token, folder, watch.report_writer)
        job.write(marshal.dumps(vars(request)))
        job.seek(0)
        process = _start(job.fileno(), folder, watch.report_writer)
        breach = watch.until_end(process, started + limits.seconds, limits)
        seconds = time.monotonic() - started
    _check_started(bytes(watch.report), breach, bytes(watch.stderr))
    result = _result(bytes(watch.report), token, len(script.calls))
    status = _status(breach, process.returncode, result)
    stdout, stderr = (_text(kept, limits) for kept in (watch.stdout, watch.stderr))
    if breach is not None:
        stderr += f"\n[stopped: {breach.reason}]\n"
    return Outcome(status, stdout, stderr, result if status == "ok" else None, seconds)


def require_sandbox(unsafe: bool = False) -> None:
    """Check that model-written code can be isolated here.

    Raises:
        SandboxError: it cannot; the remedy names what to install or to enable.
    """
    missing = None if unsafe else _missing()
    if missing is not None:
        raise SandboxError(*missing)


@cache
def _missing() -> tuple[str, str] | None:
    """Cause and remedy, or None when Landlock and seccomp are there."""
    elsewhere = "run this on Linux (x86_64 or aarch64, a 64-bit Python), in a container if need be"
    if sys.platform != "linux":
        return f"code sandbox: needs Linux, this is {sys.platform}", elsewhere
    if kernel.MACHINE not in seccomp.AUDIT_ARCH or sys.maxsize < 2**32:
        return f"code sandbox: {kernel.MACHINE} is not supported", elsewhere
    release = os.uname().release
    if not seccomp.available():
        remedy = "use a kernel built with CONFIG_SECCOMP_FILTER"
        return f"code sandbox: kernel {release} offers no seccomp filters", remedy
    if landlock.version() < 1:
        remedy = (
            "use a kernel >= 5.13 with Landlock switched on (add landlock to the boot parameter "
            "lsm=...); in docker, allow landlock_create_ruleset, landlock_add_rule and "
            "landlock_restrict_self in the seccomp profile"
        )
        return f"code sandbox: kernel {release} offers no Landlock here", remedy
    return None


@contextmanager
def _folder() -> Iterator[str]:
    folder = tempfile.mkdtemp(prefix="bench-code-")
    try:
        yield os.path.realpath(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _job(
    script: Script, limits: Limits, unsafe: bool, token: bytes, folder: str, report: int
) -> Job:
    seconds = math.ceil(limits.seconds)
    bounds = {
        resource.RLIMIT_CPU: (seconds, seconds + 1),
        resource.RLIMIT_FSIZE: (limits.file_bytes, limits.file_bytes),
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_NOFILE: (OPEN_FILES, OPEN_FILES),
    }
    if sys.platform == "linux":
        bounds[resource.RLIMIT_AS] = (limits.memory_bytes, limits.memory_bytes)
    readable, listable = ((), ()) if unsafe else _readable()
    return Job(
        token=token,
        parent=os.getpid(),
        isolate=not unsafe,
        limits=bounds,
        readable=readable,
        listable=listable,
        writable=(folder, os.devnull),
        report=report,
        chunks=script.chunks,
        test=script.test,
        entry_point=script.entry_point,
        calls=script.calls,
    )


@cache
def _readable() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the interpreter needs to read, and the folders whose names it needs to list.

    Installed packages are left out: this one brings the tasks' answers with it.
    """
    standard = os.path.realpath(sysconfig.get_path("stdlib"))
    places = [*LIBRARIES, f"{sys.base_prefix}/lib", f"{sys.base_prefix}/lib64"]
    folders = {os.path.realpath(place) for place in places if os.path.isdir(place)}
    readable = [*DATA, *_entries(standard, ("site-packages", "dist-packages"))]
    for folder in sorted(folders):
        readable += _entries(folder, ("python",))
    return tuple(readable), (standard,)


def _entries(folder: str, without: tuple[str, ...]) -> list[str]:
    """The paths in `folder` whose names do not start with any of `without`."""
    return [entry.path for entry in os.scandir(folder) if not entry.name.startswith(without)]


def _start(job: int, folder: str, report: int) -> "subprocess.Popen[bytes]":
    here = Path(__file__).resolve().parent
    packages = {
        "bench": str(here.parents[1]),
        "bench.scoring": str(here.parent),
        "bench.scoring.sandbox": str(here),
    }
    stub = STUB.format(packages=packages)
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-B", "-X", "utf8", "-c", stub],
        stdin=job,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=(report,),
        env={},
        cwd=folder,
        start_new_session=True,
    )


def _check_started(report: bytes, breach: Breach | None, stderr: bytes) -> None:
    if not report.startswith(STARTED) and breach is None:
        shown = (report or stderr).decode(errors="replace").strip()
        cause = shown.splitlines()[-1] if shown else "it ended without a word"
        raise SandboxError(
            f"code sandbox: the isolated interpreter did not start: {cause}",
            "if a container forbids the call, allow seccomp, prctl, capset and the landlock calls",
        )


def _result(report: bytes, token: bytes, calls: int) -> tuple[str | None, ...] | None:
    """The reported values, None unless the token closes the report."""
    if not report.endswith(token):
        return None
    lines = report[len(STARTED) : -len(token)].decode(errors="replace").split("\n")
    return tuple(line or None for line in lines) if calls else ()


def _status(breach: Breach | None, code: int, result: tuple[str | None, ...] | None) -> Status:
    if breach is not None:
        return breach.status
    if code == EXIT_MEMORY:
        return "memory"
    if code < 0:
        return "timeout" if -code == signal.SIGXCPU else "killed"
    return "ok" if code == 0 and result is not None else "error"


def _text(data: bytearray, limits: Limits) -> str:
    return data[: limits.output_bytes].decode(errors="replace")
