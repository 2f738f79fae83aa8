"""Scorers that run model-written code in the sandbox.

`reply.text` is the code already cut out of the reply. `example.check` holds one of

- `tests`: pairs of a call and its expected value, both as source text, for `unit_tests`;
- `program`: test source (or its lines, as MBPP has them) that raises when the code is wrong, for
  `test_program`, with `entry_point`, the name of the function under test, where it is known, and
  `setup`, source that goes between code and test (MBPP's `test_setup_code`);

and for both, `prefix`: source that comes before the code, such as HumanEval's prompt.

>>> values_match(ast.literal_eval("[1, 2.0]"), [1.0, 2])
True
"""

import ast
import math
import re
import textwrap
import threading
from functools import lru_cache

from bench.errors import TaskError
from bench.scoring.sandbox.child import ENTRY_POINT
from bench.scoring.sandbox.run import Script, run_script
from bench.types import Example, Json, Reply

RELATIVE_TOLERANCE = 1e-9
NOT_A_LITERAL = (ValueError, SyntaxError, TypeError, RecursionError, MemoryError)
Number = int | float | complex
_PARSING = threading.Lock()


def unit_tests(example: Example, reply: Reply, unsafe: bool = False) -> float:
    """1 if every call in `check.tests` gives its expected value.

    The expected values never enter the sandbox, and what comes out are literals compared here, so
    neither reading the tests nor redefining equality helps a program.

    Raises:
        TaskError: `check.tests` is missing or malformed.
        SandboxError: code cannot be isolated on this machine.
    """
    calls, expected = _tests(example)
    if not (reply.text or "").strip():
        return 0.0
    outcome = run_script(Script(_chunks(example, reply.text or ""), calls=calls), unsafe=unsafe)
    found = outcome.result or ()
    if len(found) != len(expected):
        return 0.0
    return float(all(map(_is_value, found, expected)))


def test_program(example: Example, reply: Reply, unsafe: bool = False) -> float:  # noqa: PT028
    """1 if `check.program` runs to its end after the code, as HumanEval (arXiv 2107.03374) scores.

    Leaving early (sys.exit, os._exit), answers that equal anything, redefined built-ins and
    forged reports do not pass. But code and test share one interpreter: a program that sets out to
    inspect or rewrite it can still forge a pass, and answers whose class the program itself gives
    a comparison count as wrong where `entry_point` is named. `unit_tests` has neither weakness.

    Raises:
        TaskError: `check.program` is missing or is not Python.
        SandboxError: code cannot be isolated on this machine.
    """
    name = _text(example, "entry_point")
    program = _program(example)
    if not (reply.text or "").strip():
        return 0.0
    script = Script(_chunks(example, reply.text or ""), test=program, entry_point=name)
    return float(run_script(script, unsafe=unsafe).status == "ok")


# pytest collects functions by this prefix wherever they are imported.
test_program.__test__ = False  # type: ignore[attr-defined]


def values_match(found: object, expected: object) -> bool:
    """Equality of literals: True is not 1, 1 is 1.0, floats agree to 1e-9 relatively."""
    if isinstance(found, bool) or isinstance(expected, bool):
        return found is expected
    if isinstance(found, Number) and isinstance(expected, Number):
        return _numbers_match(found, expected)
    if type(found) is not type(expected):
        return False
    if isinstance(found, list | tuple) and isinstance(expected, list | tuple):
        return len(found) == len(expected) and all(map(values_match, found, expected))
    if isinstance(found, dict) and isinstance(expected, dict):
        return _same_members(set(found), set(expected)) and all(
            values_match(found[key], value) for key, value in expected.items()
        )
    if isinstance(found, set) and isinstance(expected, set):
        return _same_members(found, expected)
    return found == expected


def _numbers_match(found: Number, expected: Number) -> bool:
    if found == expected or (isinstance(found, int) and isinstance(expected, int)):
        return found == expected
    try:
        difference, size = abs(found - expected), abs(expected)
    except OverflowError:  # an integer that no float can hold
        return False
    return math.isfinite(difference) and difference <= RELATIVE_TOLERANCE * size


def _same_members(found: set[object], expected: set[object]) -> bool:
    """Equal sets, in which True is not 1."""
    return found == expected and _truths(found) == _truths(expected)


def _truths(members: set[object]) -> set[bool]:
    return {member for member in members if isinstance(member, bool)}


def _is_value(found: str | None, expected: object) -> bool:
    try:
        return found is not None and values_match(ast.literal_eval(found), expected)
    except NOT_A_LITERAL:
        return False


def _chunks(example: Example, code: str) -> tuple[str, ...]:
    """What runs before the tests: the prefix, then the code.

    Code that defines the entry point stands alone, after a prefix (for its imports and helpers)
    that does too; code that does not is the rest of the function that the prefix begins.
    """
    prefix, name = _text(example, "prefix"), _text(example, "entry_point")
    if not prefix:
        return (code,)
    if name and not _defines(code, name):
        return (prefix.rstrip("\n") + "\n" + _indented(code),)
    return (prefix, code) if _is_python(prefix) else (code,)


def _defines(code: str, name: str) -> bool:
    """Whether code has the name at its margin. By pattern: parsing is left to the sandbox."""
    start = rf"^(?:(?:async\s+)?def|class)\s+{re.escape(name)}\b|^{re.escape(name)}\s*[:=]"
    return re.search(start, code, re.MULTILINE) is not None


def _indented(code: str) -> str:
    """A function body; models also write it at the margin."""
    first = next(line for line in code.splitlines() if line.strip())
    return code if first[0] in " \t" else textwrap.indent(code, "    ")


def _tests(example: Example) -> tuple[tuple[str, ...], tuple[object, ...]]:
    """Calls and expected values."""
    tests = example.check.get("tests")
    if not isinstance(tests, list) or not tests:
        raise _wrong(example, "tests", tests, "a list of [call, expected value]")
    pairs = [_pair(example, place, test) for place, test in enumerate(tests)]
    return tuple(call for call, _ in pairs), tuple(value for _, value in pairs)


def _pair(example: Example, place: int, test: Json) -> tuple[str, object]:
    shape = 'a pair of strings such as ["f(2)", "4"]'
    if not isinstance(test, list) or len(test) != 2:
        raise _wrong(example, f"tests[{place}]", test, shape)
    call, expected = test
    if not isinstance(call, str) or not isinstance(expected, str):
        raise _wrong(example, f"tests[{place}]", test, shape)
    try:
        return call, ast.literal_eval(expected)
    except NOT_A_LITERAL:
        raise _wrong(
            example, f"tests[{place}][1]", expected, "a Python literal such as '[1, 2]'"
        ) from None


def _program(example: Example) -> str:
    given = example.check.get("program")
    lines = given if isinstance(given, list) else [given]
    texts = [line for line in lines if isinstance(line, str)]
    if not texts or len(texts) != len(lines):
        raise _wrong(example, "program", given, "Python source, or a list of its lines")
    try:
        whole = "\n".join([_text(example, "setup"), *texts])
        return _with_guard(whole, _text(example, "entry_point"))
    except SyntaxError as error:
        raise _wrong(example, "program", error.msg, "Python source") from None


@lru_cache(maxsize=1024)
def _with_guard(program: str, name: str) -> str:
    """`program`, calling the guarded entry point instead of the one in the code."""
    tree = _parse(program)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == name:
            node.id = ENTRY_POINT
    return ast.unparse(tree)


def _is_python(source: str) -> bool:
    try:
        _parse(source)
    except SyntaxError:
        return False
    return True


def _parse(source: str) -> ast.Module:
    """The tree of `source`, built by one thread at a time.

    CPython before 3.11.8 counts recursion while it builds trees in one counter for all threads and
    raises SystemError when two of them interleave (python/cpython#106905).
    """
    with _PARSING:
        return ast.parse(source)


def _text(example: Example, key: str) -> str:
    value = example.check.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _wrong(example, key, value, "text")
    return value


def _wrong(example: Example, key: str, found: object, expected: str) -> TaskError:
    return TaskError(
        f"{example.task}: row {example.id}: check.{key} is {found!r:.200}, expected {expected}",
        "mend the row, or `check` in task.yaml",
    )
