"""Code scorers: right code passes, wrong code does not, and no trick turns one into the other."""

import gc
import os
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bench.errors import SandboxError, TaskError
from bench.scoring import code
from bench.scoring.code import unit_tests, values_match
from bench.scoring.sandbox.run import require_sandbox
from bench.types import Example, Extract, Json, Reply

try:
    require_sandbox()
except SandboxError as error:
    pytest.skip(f"no sandbox here: {error.cause}", allow_module_level=True)

ROOT = Path(os.environ.get("BENCH_DATA_ROOT", Path(__file__).parents[3] / "shared/hub"))

ADD_TESTS: list[Json] = [["add(2, 3)", "5"], ["add(-1, 1)", "0"]]
ADD_PROGRAM = """
def check(candidate):
    assert candidate(2, 3) == 5
    assert candidate(-1, 1) == 0
check(add)
"""
RIGHT = "def add(a, b):\n    return a + b\n"

# Ways to pass that are not adding.
CHEATS = {
    "wrong": "def add(a, b): return a - b",
    "nothing": "pass",
    "syntax error": "def add(a, b) return a + b",
    "raises": "def add(a, b): raise ValueError",
    "exit 0": "import sys; sys.exit(0)",
    "exit 0 at once": "import os; os._exit(0)",
    "exit when called": "def add(a, b):\n    raise SystemExit(0)",
    "exit at once when called": "import os\ndef add(a, b): os._exit(0)",
    "atexit": "import atexit, os; atexit.register(os._exit, 0)\ndef add(a, b): return 0",
    "equals anything": """
        class Any:
            def __eq__(self, other): return True
            def __ne__(self, other): return False
        def add(a, b): return Any()""",
    "a number that equals anything": """
        class Any(int):
            def __eq__(self, other): return True
            __hash__ = int.__hash__
        def add(a, b): return Any()""",
    "mock.ANY": "from unittest.mock import ANY\ndef add(a, b): return ANY",
    "built-ins redefined": """
        import builtins
        builtins.AssertionError = builtins.Exception = SystemExit
        builtins.__build_class__ = builtins.repr = builtins.type = lambda *_: int
        def add(a, b): return 0""",
    "test function replaced": """
        def check(candidate): pass
        def add(a, b): return 0""",
    "swallows the test": 'def add(a, b): return 0\nx = """',
    "comments out the test": "def add(a, b): return 0\nif False: \\",
    "end of source": "def add(a, b): return 0\n\x04\x1a",
    "forged reports": """
        import os
        for descriptor in range(3, 64):
            for text in (b'5\\n0', b'+5\\n0', b'ok', b'{"passed": true}', b'True'):
                try: os.write(descriptor, text)
                except OSError: pass
        os._exit(0)""",
    "report pipe closed": "import os\nos.closerange(3, 64)\ndef add(a, b): return 0",
    "reads callers' frames": """
        import os, sys
        frame, found = sys._getframe(), []
        while frame:
            found += [*frame.f_locals.values(), *frame.f_globals.values()]
            frame = frame.f_back
        for value in found:
            for part in value if type(value) in (list, tuple) else [value]:
                if type(part) is bytes:
                    for descriptor in range(3, 64):
                        try: os.write(descriptor, part)
                        except OSError: pass
        os._exit(0)""",
    "searches the collector": """
        import gc, os
        for holder in gc.get_objects():
            if type(holder) is tuple:
                for part in holder:
                    if type(part) is bytes and len(part) == 32:
                        for descriptor in range(3, 64):
                            try: os.write(descriptor, part)
                            except OSError: pass
        os._exit(0)""",
    "skips lines by tracing": """
        import sys
        def trace(frame, event, argument):
            if frame.f_code.co_name == 'check' and event == 'line':
                frame.f_lineno = frame.f_code.co_firstlineno + 2
            return trace
        sys.settrace(trace)
        def add(a, b): return 0 if a == 2 else a + b""",
    "leaves by signal": "import os, signal\ndef add(a, b): os.kill(os.getpid(), signal.SIGTERM)",
    "ends in a thread": """
        import os, threading
        def add(a, b):
            threading.Thread(target=os._exit, args=(0,)).start()
            while True: pass""",
    "prints success": "print('PASSED 2 tests')\ndef add(a, b): print('OK')",
}


def example(**check: Json) -> Example:
    return Example(
        task="adding",
        id="1",
        cluster="1",
        variant="",
        instruction="",
        shots=(),
        question="",
        delimiter="",
        target="",
        answers=(),
        choices=(),
        right=(),
        normalise="none",
        extract=Extract("code_block"),
        generation=None,
        samples=1,
        check=check,
        digest="",
    )


@pytest.mark.parametrize("cheat", CHEATS.values(), ids=CHEATS)
def test_no_cheat_passes_unit_tests(cheat: str) -> None:
    assert unit_tests(example(tests=ADD_TESTS), Reply(text=textwrap.dedent(cheat))) == 0


@pytest.mark.parametrize("cheat", CHEATS.values(), ids=CHEATS)
def test_no_ordinary_cheat_passes_a_test_program(cheat: str) -> None:
    task = example(program=ADD_PROGRAM, entry_point="add")
    assert code.test_program(task, Reply(text=textwrap.dedent(cheat))) == 0


@pytest.mark.parametrize("text", [None, "", "  \n"])
def test_an_empty_reply_scores_zero(text: str | None) -> None:
    assert unit_tests(example(tests=ADD_TESTS), Reply(text=text)) == 0
    assert code.test_program(example(program=ADD_PROGRAM), Reply(text=text)) == 0


def test_right_code_passes() -> None:
    assert unit_tests(example(tests=ADD_TESTS), Reply(text=RIGHT)) == 1
    assert code.test_program(example(program=ADD_PROGRAM), Reply(text=RIGHT)) == 1
    named = example(program=ADD_PROGRAM, entry_point="add")
    assert code.test_program(named, Reply(text=RIGHT)) == 1


def test_one_failing_call_fails_all() -> None:
    tests = [*ADD_TESTS, ["add('a', 'b')", "'ba'"]]
    assert unit_tests(example(tests=tests), Reply(text=RIGHT)) == 0


@pytest.mark.parametrize(
    ("value", "expected", "score"),
    [
        ("True", "1", 0),
        ("1", "True", 0),
        ("1.0", "1", 1),
        ("0.1 + 0.2", "0.3", 1),
        ("0.1 + 0.2001", "0.3", 0),
        ("[True]", "[1]", 0),
        ("{True}", "{1}", 0),
        ("(1, 2)", "[1, 2]", 0),
        ("{'a': [0.1 + 0.2]}", "{'a': [0.3]}", 1),
        ("{1: True}", "{True: True}", 0),
        ("frozenset([1, 2])", "{1, 2}", 1),
        ("set()", "set()", 1),
        ("{}", "set()", 0),
        ("()", "()", 1),
        ("(1,)", "(1,)", 1),
        ("None", "None", 1),
        ("None", "0", 0),
        ("float('inf')", "1e999", 1),
        ("float('nan')", "1e999", 0),
        ("10 ** 400", "1" + "0" * 400, 1),
        ("10 ** 400", "1.5", 0),
        ("2 ** 20000", hex(2**20000), 1),
        ("1 + 2j", "(1+2j)", 1),
        ("'\\ud800 \\n \u4f60'", "'\\ud800 \\n \u4f60'", 1),
        ("b'\\x00'", "b'\\x00'", 1),
        ("type('L', (list,), {})([1])", "[1]", 0),
        ("__import__('collections').Counter('a')", "{'a': 1}", 0),
        ("iter([1])", "[1]", 0),
    ],
)
def test_values_are_compared_as_literals(value: str, expected: str, score: int) -> None:
    assert unit_tests(example(tests=[[value, expected]]), Reply(text="pass")) == score


def test_nested_too_deep_to_parse_is_wrong_not_a_crash() -> None:
    nest = "def f():\n    x = []\n    for _ in range(5000): x = [x]\n    return x"
    assert unit_tests(example(tests=[["f()", "[]"]]), Reply(text=nest)) == 0


def test_a_report_made_to_hurt_the_parser_is_wrong_not_a_crash() -> None:
    forge = "import sys\ndef f():\n    child.ascii = lambda _: '1+' * 9999 + '1'\n    return 1\n"
    forge += "child = sys.modules['bench.scoring.sandbox.child']"
    assert unit_tests(example(tests=[["f()", "1"]]), Reply(text=forge)) == 0


def test_expected_values_never_enter_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = []
    run = code.run_script
    monkeypatch.setattr(code, "run_script", lambda *a, **k: sent.append(repr(a)) or run(*a, **k))
    unit_tests(example(tests=[["add(2, 3)", "'needle'"]]), Reply(text=RIGHT))
    assert len(sent) == 1
    assert "needle" not in sent[0]


def test_values_match_is_reflexive_over_literals() -> None:
    values = [0, 1, True, 1.5, "a", b"a", None, [1], (1,), {1: 2}, {1}, 1j, float("inf")]
    assert all(values_match(value, value) for value in values)
    different = [(a, b) for a in values for b in values if a is not b and values_match(a, b)]
    assert different == []


@pytest.mark.parametrize(
    "check",
    [
        {},
        {"tests": []},
        {"tests": ["f(1)"]},
        {"tests": [["f(1)", 1]]},
        {"tests": [["f(1)", "one two"]]},
    ],
)
def test_a_malformed_tests_entry_is_the_tasks_fault(check: dict[str, Json]) -> None:
    with pytest.raises(TaskError, match=r"adding: row 1: check\.tests"):
        unit_tests(example(**check), Reply(text=RIGHT))


@pytest.mark.parametrize("program", [None, 3, [], "def", ["assert add(1, 1) ==", 2]])
def test_a_malformed_program_is_the_tasks_fault(program: Json) -> None:
    with pytest.raises(TaskError, match=r"adding: row 1: check\.program"):
        code.test_program(example(program=program), Reply(text=RIGHT))


PREFIX = (
    'from math import floor\n\ndef half(n):\n    return n / 2\n\ndef down(n):\n    """Doc."""\n'
)


@pytest.mark.parametrize(
    "reply",
    [
        "    return floor(half(n))",
        "return floor(half(n))",
        "\n    m = half(n)\n    return floor(m)\n\nprint(down(3))",
        "def down(n):\n    return floor(half(n))",
        "import math\n\ndef down(n: float) -> int:\n    return math.floor(n / 2)",
        "from math import floor\ndown = lambda n: floor(n / 2)",
        "from __future__ import annotations\ndef down(n): return floor(half(n))",
    ],
)
def test_a_prefix_is_completed_or_overridden(reply: str) -> None:
    task = example(prefix=PREFIX, entry_point="down", program="assert down(5) == 2")
    assert code.test_program(task, Reply(text=reply)) == 1


def test_recursion_is_as_deep_under_the_guard() -> None:
    reply = "def add(a, b):\n    return b if a == 0 else 1 + add(a - 1, b)"
    task = example(entry_point="add", program="assert add(900, 0) == 900")
    assert code.test_program(task, Reply(text=reply)) == 1


def test_setup_runs_between_code_and_test() -> None:
    task = example(setup="one = Box(1)", program=["assert one.n == 1", "assert get(one) == 1"])
    reply = "class Box:\n    def __init__(self, n): self.n = n\ndef get(box): return box.n"
    assert code.test_program(task, Reply(text=reply)) == 1


def human_eval() -> Iterator[tuple[Example, str]]:
    for row in _rows("openai/openai_humaneval"):
        yield (
            example(
                prefix=row["prompt"],
                entry_point=row["entry_point"],
                program=f"{row['test']}\ncheck({row['entry_point']})",
            ),
            row["canonical_solution"],
        )


def mbpp() -> Iterator[tuple[Example, str]]:
    for row in _rows("google-research-datasets/mbpp"):
        yield example(setup=row["test_setup_code"], program=row["test_list"]), row["code"]


def _rows(name: str) -> list[dict[str, str]]:
    files = sorted((ROOT / name).rglob("*.parquet"))
    if not files:
        pytest.skip(f"no {name} under {ROOT}; set BENCH_DATA_ROOT")
    parquet = pytest.importorskip("pyarrow.parquet")
    return [row for file in files for row in parquet.read_table(file).to_pylist()]


def _failing(pairs: list[tuple[Example, str]]) -> list[str]:
    with ThreadPoolExecutor(4) as pool:
        scores = list(pool.map(lambda pair: code.test_program(pair[0], Reply(text=pair[1])), pairs))
    return [text for (_, text), score in zip(pairs, scores, strict=True) if score != 1]


def test_humaneval_gold_solutions_pass() -> None:
    assert _failing(list(human_eval())) == []


def test_humaneval_stubs_fail() -> None:
    stubs = [(task, "    pass") for task, _ in human_eval()][::4]
    assert len(_failing(stubs)) == len(stubs)


def test_a_tenth_of_mbpp_gold_solutions_pass() -> None:
    assert _failing(list(mbpp())[::10]) == []


@pytest.mark.slow
def test_all_mbpp_gold_solutions_pass() -> None:
    assert _failing(list(mbpp())) == []


def test_threads_may_parse_at_once() -> None:
    """Python code that runs at a garbage collection lets other threads in amid a tree."""
    program = "\n".join(f"assert f({'[' * 20}{i}{']' * 20}) == {i}" for i in range(60))
    tasks = [example(program=f"{program}\nassert f() == {i}", entry_point="f") for i in range(80)]
    pause = lambda *_: time.sleep(1e-5)  # noqa: E731
    gc.callbacks.append(pause)
    try:
        with ThreadPoolExecutor(4) as pool:
            programs = list(pool.map(code._program, tasks))
    finally:
        gc.callbacks.remove(pause)
    assert len(set(programs)) == len(tasks)
