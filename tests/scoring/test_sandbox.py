"""Hostile programs, each shown contained. One that gets through prints BREACH.

So that a typing error does not pass for containment, `REACH` is also run unsafely, where every
program of it must print BREACH.
"""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bench.errors import SandboxError
from bench.scoring.sandbox import landlock
from bench.scoring.sandbox import run as sandbox
from bench.scoring.sandbox.run import Limits, Script, require_sandbox, run_python, run_script
from bench.scoring.sandbox.seccomp import ALLOWED

try:
    require_sandbox()
except SandboxError as error:
    pytest.skip(f"no sandbox here: {error.cause}", allow_module_level=True)

SHORT = Limits(seconds=1.5)

# Attempts on the world outside; they need the names that `world` defines.
REACH = {
    "read a secret": "print('BREACH', open(SECRET).read())",
    "read a secret by descriptor": """
        import os
        print('BREACH', os.read(os.open(SECRET, os.O_RDONLY), 99))""",
    "read the accounts": "print('BREACH', open('/etc/passwd').read())",
    "list the home folder": "import os; print('BREACH', os.listdir(FOLDER))",
    "read the parent's environment": "print('BREACH', open(f'/proc/{PARENT}/environ').read())",
    "read the parent's command": "print('BREACH', open(f'/proc/{PARENT}/cmdline').read())",
    "write outside": "open(FOLDER + '/new', 'w').write('x'); print('BREACH')",
    "append to a file outside": "open(SECRET, 'a').write('x'); print('BREACH')",
    "empty a file outside": "import os; os.truncate(SECRET, 0); print('BREACH')",
    "empty a file opened to read": """
        import os
        os.open(SECRET, os.O_RDONLY | os.O_TRUNC); print('BREACH')""",
    "delete outside": "import os; os.remove(SECRET); print('BREACH')",
    "rename outside": "import os; os.rename(SECRET, SECRET + '2'); print('BREACH')",
    "open a file to everyone": "import os; os.chmod(SECRET, 0o777); print('BREACH')",
    "set times outside": "import os; os.utime(SECRET, (0, 0)); print('BREACH')",
    "follow a symbolic link": """
        import os
        os.symlink(SECRET, 'link'); print('BREACH', open('link').read())""",
    "follow a hard link": """
        import os
        os.link(SECRET, 'link'); print('BREACH', open('link').read())""",
    "connect by tcp": """
        import socket
        socket.create_connection(('127.0.0.1', PORT), 1); print('BREACH')""",
    "send by udp": """
        import socket
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', PORT))
        print('BREACH')""",
    "listen by tcp": """
        import socket
        socket.create_server(('127.0.0.1', 0)); print('BREACH')""",
    "connect to a unix socket": """
        import socket
        socket.socket(socket.AF_UNIX).connect(UNIX); print('BREACH')""",
    "connect to an abstract socket": """
        import socket
        socket.socket(socket.AF_UNIX).connect(ABSTRACT); print('BREACH')""",
    "send from a datagram pair": """
        import socket
        pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        print('BREACH')""",
    "ask netlink": "import socket; socket.socket(socket.AF_NETLINK, 3); print('BREACH')",
    "fork": "import os; os.fork(); print('BREACH')",
    "run a shell": "import os; assert os.system('true') == 0; print('BREACH')",
    "start a process": "import subprocess; subprocess.run(['/bin/true']); print('BREACH')",
    "become another program": "import os; os.execv('/bin/echo', ['echo', 'BREACH'])",
    "spawn a process": """
        import os
        os.waitpid(os.posix_spawn('/bin/true', ['true'], {}), 0); print('BREACH')""",
    "probe the parent with a signal": "import os; os.kill(PARENT, 0); print('BREACH')",
    "change priority": "import os; os.nice(1); print('BREACH')",
    "share memory": """
        import os
        os.memfd_create('x'); print('BREACH')""",
    "raise a limit": """
        import resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (9, 9)); print('BREACH')""",
    "read others' numbers by name": "import pwd; print('BREACH', pwd.getpwuid(0))",
}

# Attempts through the C library: (x86_64, aarch64) numbers and arguments. All must fail with EPERM.
RAW = {
    "ptrace": ((101, 117), (16, 1)),
    "mount": ((165, 40), ()),
    "unshare": ((272, 97), (0x10000000,)),
    "setns": ((308, 268), (0, 0)),
    "chroot": ((161, 51), ()),
    "bpf": ((321, 280), ()),
    "perf_event_open": ((298, 241), ()),
    "io_uring_setup": ((425, 425), (8, 0)),
    "userfaultfd": ((323, 282), ()),
    "keyctl": ((250, 219), (0, -3)),
    "add_key": ((248, 217), ()),
    "process_vm_readv": ((310, 270), ()),
    "pidfd_open": ((434, 434), (1,)),
    "pidfd_send_signal": ((424, 424), ()),
    "rt_sigqueueinfo": ((129, 138), ()),
    "prctl": ((157, 167), (1, 0)),
    "prlimit64": ((302, 261), (0, 9, 1)),
    "clone": ((56, 220), (17,)),
    "execve": ((59, 221), ()),
    "execveat": ((322, 281), ()),
    "open_by_handle_at": ((304, 265), ()),
    "shmget": ((29, 194), (0, 4096, 0o1600)),
    "fchmodat": ((268, 53), ()),
    "setxattr": ((188, 5), ()),
    "inotify_init1": ((294, 26), ()),
    "seccomp": ((317, 277), (1, 0, 0)),
    "kill everyone": ((62, 129), (-1, 0)),
    "kill the group": ((62, 129), (0, 0)),
    "tkill": ((200, 130), (1, 0)),
    "socket": ((41, 198), (2, 1, 0)),
}

# Attempts to use up the machine, and how each must end.
EXHAUST = {
    "loop": ("while True: pass", {"timeout"}),
    "sleep": ("import time; time.sleep(99)", {"timeout"}),
    "hang with all outputs closed": (
        "import os, time; os.closerange(0, 64); time.sleep(99)",
        {"killed"},
    ),
    "wait for input": ("input()", {"error"}),
    "ignore signals": (
        """
        import signal
        for number in (signal.SIGTERM, signal.SIGALRM, signal.SIGXCPU, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        while True: pass""",
        {"timeout", "killed"},
    ),
    "catch everything": (
        """
        while True:
            try:
                while True: pass
            except BaseException: pass""",
        {"timeout"},
    ),
    "memory": ("x = 'a' * (1 << 40)", {"memory"}),
    "memory bit by bit": ("x = []\nwhile True: x.append(bytearray(1 << 20))", {"memory"}),
    "memory by number": ("x = 1 << (1 << 36)", {"memory", "error"}),
    "memory by mapping": ("import mmap; mmap.mmap(-1, 1 << 31)", {"error", "memory"}),
    "flood of output": ("while True: print('x' * 9999)", {"output"}),
    "flood of errors": (
        "import sys\nwhile True: print('x' * 9999, file=sys.stderr)",
        {"output"},
    ),
    "flood of every descriptor": (
        """
        import os
        while True:
            for descriptor in range(64):
                try: os.write(descriptor, b'x' * 65536)
                except OSError: pass""",
        {"output"},
    ),
    "one large file": ("open('f', 'wb').write(bytes(1 << 24))", {"error"}),
    "large files": (
        """
        for place in range(10 ** 9):
            with open(str(place % 200), 'wb') as file: file.write(bytes(1 << 20))""",
        {"output", "killed"},
    ),
    "many files": ("for place in range(10 ** 9): open(str(place), 'w').close()", {"killed"}),
    "many folders": ("import os\nos.mkdir('a')", {"error"}),
    "many descriptors": ("x = [open('/dev/null') for _ in range(99)]", {"error"}),
    "threads": (
        """
        import threading, time
        threading.stack_size(65536)
        while True: threading.Thread(target=time.sleep, args=(99,), daemon=True).start()""",
        {"killed", "error"},
    ),
    "forks": (
        """
        import os
        while True:
            try: os.fork()
            except PermissionError: break
        raise SystemExit""",
        {"error"},
    ),
    "recursion": ("def f(): f()\nf()", {"error"}),
    "recursion without limit": (
        """
        import sys
        sys.setrecursionlimit(10 ** 9)
        class A: __repr__ = lambda self: repr(self)
        repr(A())""",
        {"killed", "memory", "error"},
    ),
    "crash": ("import ctypes; ctypes.string_at(0)", {"killed"}),
    "exit 0": ("import sys; sys.exit(0)", {"error"}),
    "exit 0 at once": ("import os; os._exit(0)", {"error"}),
    "deep source": ("(" * 10_000, {"error", "memory"}),
    "null bytes": ("\0", {"error"}),
    "lone surrogate": ("x = '\ud800'; print('ok')", {"error"}),
}

MODULES = """
re math collections itertools datetime json random heapq functools typing dataclasses decimal
fractions string statistics bisect copy operator hashlib enum abc contextlib time calendar
textwrap unicodedata zlib csv io sqlite3 pickle queue threading asyncio unittest logging uuid
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[str]:
    """Definitions of what there is to reach outside, as source; each of it is really there."""
    tmp_path.chmod(0o755)
    secret = tmp_path / "secret"
    secret.write_text("token")
    path, abstract = f"/tmp/bench-test-{os.getpid()}", f"\0bench-test-{os.getpid()}"
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_UNIX) as unix,
        socket.socket(socket.AF_UNIX) as nameless,
    ):
        for listener, address in ((unix, path), (nameless, abstract)):
            listener.bind(address)
            listener.listen()
        yield (
            f"SECRET, FOLDER, PORT = {str(secret)!r}, {str(tmp_path)!r}, {tcp.getsockname()[1]}\n"
            f"UNIX, ABSTRACT, PARENT = {path!r}, {abstract!r}, {os.getpid()}\n"
        )
    os.remove(path)


@pytest.mark.parametrize("program", REACH.values(), ids=REACH)
def test_nothing_outside_is_reached(
    program: str, world: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "token")
    outcome = run_python(world + textwrap.dedent(program), SHORT)
    assert outcome.status == "error", outcome
    assert "BREACH" not in outcome.stdout
    assert "token" not in outcome.stdout + outcome.stderr
    assert [entry.name for entry in tmp_path.iterdir()] == ["secret"]
    assert (tmp_path / "secret").read_text() == "token"


@pytest.mark.parametrize("program", REACH.values(), ids=REACH)
def test_the_same_programs_get_through_without_the_sandbox(program: str, world: str) -> None:
    outcome = run_python(world + textwrap.dedent(program), unsafe=True)
    assert "BREACH" in outcome.stdout, outcome


def test_forbidden_system_calls_fail_even_when_called_by_number() -> None:
    column = 0 if os.uname().machine == "x86_64" else 1
    calls = {name: (numbers[column], arguments) for name, (numbers, arguments) in RAW.items()}
    program = f"""
import ctypes
library = ctypes.CDLL(None, use_errno=True)
for name, (number, arguments) in {calls!r}.items():
    print(name, library.syscall(number, *map(ctypes.c_long, arguments)), ctypes.get_errno())
"""
    outcome = run_python(program)
    assert outcome.stdout.splitlines() == [f"{name} -1 1" for name in RAW]


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="x32 and i386 are ways in on x86_64")
def test_another_calling_convention_kills() -> None:
    x32_getpid = "import ctypes; ctypes.CDLL(None).syscall(0x40000000 + 39); print('BREACH')"
    outcome = run_python(x32_getpid)
    assert (outcome.status, outcome.stdout) == ("killed", "")


def test_no_dangerous_call_is_on_the_allowlist() -> None:
    assert not {"execve", "fork", "socket", "connect", "ptrace", "kill", "clone", "chmod"} & set(
        ALLOWED
    )


@pytest.mark.parametrize(("program", "ends"), EXHAUST.values(), ids=EXHAUST)
def test_a_limit_stops_it(program: str, ends: set[str]) -> None:
    started = time.monotonic()
    outcome = run_python(textwrap.dedent(program), Limits(seconds=1, memory_bytes=128 << 20))
    assert outcome.status in ends, outcome
    assert outcome.result is None
    assert time.monotonic() - started < 3
    assert len(outcome.stdout) <= SHORT.output_bytes
    assert len(outcome.stderr) <= SHORT.output_bytes + 100


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    descriptors = len(os.listdir("/proc/self/fd"))
    program = "import os; print(os.getpid(), flush=True)\nopen('f', 'w').write('x')\nwhile True: 1"
    outcome = run_python(program, Limits(seconds=0.5))
    assert not Path(f"/proc/{int(outcome.stdout)}").exists()
    assert list(tmp_path.iterdir()) == []
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_grandchildren_of_an_unsafe_run_are_killed() -> None:
    program = "import subprocess; print(subprocess.Popen(['sleep', '99']).pid, flush=True)"
    outcome = run_python(program, Limits(seconds=0.7), unsafe=True)
    assert _ended(int(outcome.stdout))


def test_the_child_dies_with_its_parent(tmp_path: Path) -> None:
    program = (
        "import os, sys, time; print(os.getpid(), file=sys.stderr, flush=True); time.sleep(60)"
    )
    parent = f"""
import bench.scoring.sandbox.watch as watch, os
read = os.read
def shown(descriptor, count):
    data = read(descriptor, count)
    os.write(1, data)
    return data
watch.os.read = shown
from bench.scoring.sandbox.run import Limits, run_python
run_python({program!r}, Limits(seconds=60))
"""
    root = Path(sandbox.__file__).parents[3]
    path = os.pathsep.join([str(root), *sys.path])
    # A parent that is killed cannot delete the temporary folder.
    environment = {**os.environ, "PYTHONPATH": path, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", parent], stdout=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline().lstrip(b"+"))
        process.send_signal(signal.SIGKILL)
    assert _ended(child)


def _ended(pid: int) -> bool:
    """Whether the process is gone, or waits as a zombie to be reaped, within five seconds."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")")[-1].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.02)
    return False


def test_the_environment_is_empty_and_input_is_at_its_end() -> None:
    outcome = run_python("import os, sys; print(sorted(os.environ), repr(sys.stdin.read()))")
    assert outcome.stdout in ("[] ''\n", "['LC_CTYPE'] ''\n")


def test_installed_packages_cannot_be_imported() -> None:
    assert run_python("import bench.types").status == "error"
    assert run_python("import numpy").status == "error"


def test_the_standard_library_is_there() -> None:
    outcome = run_python(f"import {', '.join(MODULES.split())}\nprint('in')")
    assert (outcome.status, outcome.stdout) == ("ok", "in\n"), outcome.stderr


WORKS = {
    "threads": (
        """
        import concurrent.futures
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            print(sum(pool.map(abs, range(-9, 0))))""",
        "45",
    ),
    "asyncio": (
        """
        import asyncio
        async def main():
            await asyncio.sleep(0.01)
            return await asyncio.to_thread(int, '7')
        print(asyncio.run(main()))""",
        "7",
    ),
    "temporary files": (
        """
        import tempfile, os
        with tempfile.NamedTemporaryFile('w+') as file:
            file.write('hello'); file.flush(); file.seek(0)
            print(file.read(), os.path.getsize(file.name))""",
        "hello 5",
    ),
    "files of its own": (
        """
        import os
        with open('a', 'w') as file: file.write('hello')
        os.rename('a', 'b'); print(open('b').read()); os.remove('b')""",
        "hello",
    ),
    "signals to itself": (
        """
        import signal, os
        signal.signal(signal.SIGALRM, lambda *_: print('ring'))
        os.kill(os.getpid(), signal.SIGALRM)""",
        "ring",
    ),
    "dataclasses, pickle and the main module": (
        """
        import dataclasses, pickle
        @dataclasses.dataclass
        class P: x: 'int'
        if __name__ == '__main__': print(pickle.loads(pickle.dumps(P(3))))""",
        "P(x=3)",
    ),
    "time zones": (
        """
        import zoneinfo, datetime
        print(datetime.datetime(2024, 7, 1, tzinfo=zoneinfo.ZoneInfo('UTC')).utcoffset())""",
        "0:00:00",
    ),
    "text beyond ASCII": ("print('h\u00e9 \u4f60\u597d')", "h\u00e9 \u4f60\u597d"),
    "a thousand frames": (
        "def f(n): return n and 1 + f(n - 1)\nprint(f(900))",
        "900",
    ),
}


@pytest.mark.parametrize(("program", "printed"), WORKS.values(), ids=WORKS)
def test_ordinary_programs_run(program: str, printed: str) -> None:
    outcome = run_python(textwrap.dedent(program))
    assert (outcome.status, outcome.stdout.strip()) == ("ok", printed), outcome.stderr


def test_runs_side_by_side_do_not_mix() -> None:
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(run_python, [f"print({place})" for place in range(24)]))
    assert [outcome.stdout for outcome in outcomes] == [f"{place}\n" for place in range(24)]


def test_an_exception_is_reported_with_its_line() -> None:
    outcome = run_python("x = 1\nx / 0")
    assert outcome.status == "error"
    assert "line 2, in <module>\nZeroDivisionError: division by zero" in outcome.stderr
    assert "child.py" not in outcome.stderr


def test_calls_are_reported_as_literals_or_not_at_all() -> None:
    calls = ("[1, (2.5,), {'a': {3}}]", "object()", "1 / 0", "exit()", "True", "10 ** 5000 % 7")
    outcome = run_script(Script(("x = 1",), calls=calls))
    assert outcome.result == ("[1,(2.5,),{'a':{3}}]", None, None, None, "True", "2")


def test_a_kernel_without_landlock_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "version", lambda: 0)
    sandbox._missing.cache_clear()
    try:
        with pytest.raises(SandboxError, match=r"no Landlock here\n.*kernel >= 5\.13"):
            run_python("print('BREACH')")
        assert run_python("print(1)", unsafe=True).stdout == "1\n"
    finally:
        sandbox._missing.cache_clear()


def test_a_child_that_cannot_shut_itself_in_runs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    job = sandbox.Job
    monkeypatch.setattr(sandbox, "Job", lambda **fields: job(**{**fields, "limits": {99: (1, 1)}}))
    with pytest.raises(SandboxError, match="did not start: ValueError"):
        run_python("print('BREACH')")


def test_a_trivial_program_takes_less_than_a_blink() -> None:
    """30 ms here; the bound leaves room for a busy machine."""
    assert min(run_python("pass").seconds for _ in range(5)) < 0.2
