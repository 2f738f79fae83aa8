"""What runs inside the sandboxed process: shut the doors, run the program, report on a pipe.

Started by `run.run_python` as a fresh interpreter without site-packages; it reads one Job from
standard input, so it imports nothing heavy. The token that closes the report is what tells the
parent that the end was reached: it is given out after the program has ended, and until then no
Python frame, variable or collectable object names it.

>>> literal([1.5, ("a", None)])
"[1.5,('a',None,)]"
"""

import builtins
import gc
import marshal
import os
import resource
import sys
from _operator import call
from itertools import starmap

TYPE_CHECKING = False  # importing typing would take milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, NoReturn

EXIT_ERROR, EXIT_MEMORY = 1, 71
OPEN_FILES = 64
DEEPEST = 200
BIG = 1 << 4096  # past this, decimal digits are slow and, past 4300, refused
STARTED = b"+"  # the report's first byte, written when the doors are shut
ENTRY_POINT = "_entry_point_under_test"
ORDER = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__")
COMPARISONS = (*ORDER, "__contains__", "__bool__")
Namespace = dict[str, object]


class Job:
    """What the parent asks for. A plain class: dataclasses would double the start-up time."""

    def __init__(
        self,
        token: bytes,
        parent: int,
        isolate: bool,
        limits: dict[int, tuple[int, int]],
        readable: tuple[str, ...],
        listable: tuple[str, ...],
        writable: tuple[str, ...],
        report: int,
        chunks: tuple[str, ...],
        test: str,
        entry_point: str,
        calls: tuple[str, ...],
    ) -> None:
        self.token = token  # closes the report
        self.parent = parent  # process id
        self.isolate = isolate
        self.limits = limits  # resource number -> soft and hard limit
        self.readable = readable
        self.listable = listable
        self.writable = writable
        self.report = report  # file descriptor of the pipe
        self.chunks = chunks  # untrusted source, run in turn in one namespace
        self.test = test  # trusted source, run after them
        self.entry_point = entry_point  # the function that `test` names ENTRY_POINT
        self.calls = calls  # expressions whose values are reported


class LiteralError(Exception):
    """A value that is not made of exact built-in types."""


def main() -> None:
    """Run the Job on standard input, then leave without returning.

    No local variable here: the program can read its callers' frames.
    """
    _leave(0 if all(starmap(call, _steps())) else EXIT_ERROR)


def _steps() -> "Iterator[tuple[object, ...]]":
    """The steps of the confined process; each returns something true, or leaves the process.

    The reply's code runs while test, calls and token lie in later steps, which nothing names.
    """
    with open(0, "rb", closefd=False) as source:
        job = Job(**marshal.load(source))
    try:
        _confine(job)
    except Exception as error:
        _write(job.report, f"{type(error).__name__}: {error}".encode())
        os._exit(EXIT_ERROR)
    _write(job.report, STARTED)
    module = type(sys)("__main__")
    sys.modules["__main__"] = module
    shared = module.__dict__, dict(builtins.__dict__)
    return iter(
        [
            (_freeze,),
            (_run_chunks, *shared, job.chunks),
            (_run_test, *shared, job.test, job.entry_point),
            (_run_calls, *shared, job.calls, job.report),
            (os.write, job.report, job.token),
        ]
    )


def _freeze() -> bool:
    """Frozen objects are missing from gc.get_objects() and gc.get_referrers()."""
    gc.freeze()
    return True


def _confine(job: Job) -> None:
    """Give up every way out; seccomp comes last, for it forbids the calls of the others.

    Raises:
        OSError: the kernel refuses.
    """
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.umask(0o077)
    for number, (soft, hard) in job.limits.items():
        _limit(number, soft, hard)
    if job.isolate:
        from bench.scoring.sandbox import kernel, landlock, seccomp

        kernel.give_up_privileges()
        kernel.die_with_parent(job.parent)
        landlock.restrict(job.readable, job.listable, job.writable)
        seccomp.restrict()


def _limit(number: int, soft: int, hard: int) -> None:
    """Lower a limit; one that is already lower stays."""
    most = resource.getrlimit(number)[1]
    hard = hard if most == resource.RLIM_INFINITY else min(hard, most)
    resource.setrlimit(number, (min(soft, hard), hard))


def _run_chunks(namespace: Namespace, original: Namespace, chunks: tuple[str, ...]) -> bool:
    _restore(namespace, original)
    for place, chunk in enumerate(chunks, 1):
        _execute(chunk, f"<program {place}>", namespace)
    return True


def _run_test(namespace: Namespace, original: Namespace, test: str, entry_point: str) -> bool:
    """`test` finds the function under test, guarded, as ENTRY_POINT."""
    _restore(namespace, original)
    if entry_point in namespace:
        namespace[ENTRY_POINT] = _guarded(namespace[entry_point], namespace)
    _execute(test, "<test>", namespace)
    return True


def _run_calls(
    namespace: Namespace, original: Namespace, calls: tuple[str, ...], report: int
) -> bool:
    """Report the value of each call on a line; the line is empty when there is none."""
    _restore(namespace, original)
    _write(report, "\n".join(_value(call, namespace) for call in calls).encode("ascii"))
    return True


def _execute(source: str, name: str, namespace: Namespace) -> None:
    """Run source; leave the process when it raises, SystemExit included."""
    try:
        exec(compile(source, name, "exec", dont_inherit=True, optimize=0), namespace)
    except BaseException as error:
        _explain(error)
        _leave(EXIT_MEMORY if isinstance(error, MemoryError) else EXIT_ERROR)


def _value(expression: str, namespace: Namespace) -> str:
    """The value of a call as a literal, "" when it raised or is no literal."""
    try:
        return literal(eval(compile(expression, "<call>", "eval", dont_inherit=True), namespace))
    except BaseException as error:
        _explain(error)
        if isinstance(error, MemoryError):
            _leave(EXIT_MEMORY)
        return ""


def _restore(namespace: Namespace, original: Namespace) -> None:
    """Put the built-in names back, and take away trace functions, which can skip a test's lines."""
    sys.settrace(None)
    sys.setprofile(None)
    builtins.__dict__.update(original)
    namespace["__builtins__"] = builtins


def _guarded(function: "Any", namespace: Namespace) -> object:  # noqa: ANN401
    """`function`, refusing to return objects whose class was written to equal anything.

    Only the test sees the guard, so recursion is as deep as without it. Callables that are not
    plain functions (classes, partial objects) are left as they are.
    """
    if type(function).__name__ != "function":
        return function

    def entry_point(*arguments: object, **named: object) -> object:
        answer = function(*arguments, **named)
        if _impostor(answer, namespace, DEEPEST):
            raise TypeError("the answer holds an object with a comparison of its own")
        return answer

    return entry_point


def _impostor(value: "Any", namespace: Namespace, depth: int) -> bool:  # noqa: ANN401
    """Whether value, or a part of it, has a comparison that the program wrote."""
    kind = type(value)
    if kind is dict:
        parts = [*value, *value.values()]
    elif kind in (list, tuple, set, frozenset):
        parts = value
    else:
        own = (vars(base).get(name) for base in kind.__mro__ for name in COMPARISONS)
        written = any(getattr(each, "__globals__", None) is namespace for each in own)
        return written or bool(value == object())  # the latter for unittest.mock.ANY
    return depth == 0 or any(_impostor(part, namespace, depth - 1) for part in parts)


def literal(value: "Any", depth: int = DEEPEST) -> str:  # noqa: ANN401
    """ASCII source text of a value made of exact built-in types, for `ast.literal_eval`.

    A frozenset is written as a set: the two compare equal. Infinity is 1e999.

    Raises:
        LiteralError: some part is of another type, is not a number, or lies too deep.
    """
    kind = type(value)
    if depth == 0:
        raise LiteralError("nested too deep")
    if value is None or kind in (bool, str, bytes):
        return ascii(value)
    if kind is int:
        return hex(value) if abs(value) > BIG else ascii(value)
    if kind in (float, complex):
        if value != value:
            raise LiteralError("not a number")
        return ascii(value).replace("inf", "1e999")
    if kind is dict:
        held = ((literal(k, depth - 1), literal(v, depth - 1)) for k, v in value.items())
        return "{" + ",".join(f"{key}:{item}" for key, item in held) + "}"
    if kind not in (list, tuple, set, frozenset):
        raise LiteralError(f"{kind.__name__} is not a literal")
    inner = ",".join([literal(part, depth - 1) for part in value])
    if kind is list:
        return f"[{inner}]"
    if kind is tuple:
        return f"({inner},)" if inner else "()"
    return f"{{{inner}}}" if inner else "set()"


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _explain(error: BaseException) -> None:
    """The traceback without this file's frame, on standard error."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    # Not `traceback`, which is slow to import; an error in the program's __str__ is ignored there.
    sys.__excepthook__(type(error), error.with_traceback(trace), trace)


def _leave(code: int) -> "NoReturn":
    """End without atexit functions, finalisers and threads: the program is over."""
    try:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except BaseException:  # a stream that the program closed or replaced
        pass
    os._exit(code)
