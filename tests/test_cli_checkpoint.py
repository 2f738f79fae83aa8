"""`bench lineage` and `bench chat`: what goes to stdout, what is refused, what Ctrl-C does."""

import io
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from bench.cards import write_card
from bench.models.weights import find_weights
from bench.types import Parent
from tests.cards import card
from tests.models import tiny

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """A folder with the checkpoints base (no card) and warm (its child), never changed."""
    folder = tmp_path_factory.mktemp("home")
    tiny.save("llama", folder / "base")
    tiny.save("llama", folder / "warm")
    base, warm = (find_weights(str(folder / name)).digest for name in ("base", "warm"))
    parent = Parent("policy", "base", "base", str(folder / "base"), base)
    write_card(folder / "warm", card(digest=warm, parents=(parent,)))
    return folder


@pytest.fixture
def bench(bench, monkeypatch, home):
    """bench("chat warm ...") beside the checkpoints: .code, .out and .err of the command."""
    monkeypatch.chdir(home)

    def run(
        command: str, typed: bytes | None = b"", kind: type[io.TextIOWrapper] = io.TextIOWrapper
    ) -> SimpleNamespace:
        """`typed` is what is piped in; None closes standard input."""
        monkeypatch.setattr("sys.stdin", None if typed is None else kind(io.BytesIO(typed)))
        return bench(command)

    return run


def test_lineage_draws_a_tree_with_cards_and_digests(bench, home):
    digest = find_weights(str(home / "base")).digest
    first, data, held_out, parent = bench("lineage warm").out.splitlines()
    assert first == f"warm  [sft]  40 steps  1,234 tokens  12.5 s  digest {digest}"
    assert data.strip("│ ") == "data: topic 200 rows, 2.00 epochs"
    assert held_out.strip("│ ") == "held out: loss 1.5"
    assert parent == f"└── policy: base  [base]  digest {digest}"


def test_lineage_marks_parents_that_are_gone_or_have_changed(bench, home, tmp_path):
    shutil.copytree(home / "warm", tmp_path / "warm")
    gone = Parent("policy", "first", "base", "/gone/first", "aaaa")
    other = Parent("reward", "judge", "rm", str(home / "base"), "bbbb")
    write_card(tmp_path / "warm", card(digest="cccc", parents=(gone, other)))
    shown = bench(f"lineage {tmp_path / 'warm'}").out
    digest = find_weights(str(home / "base")).digest
    assert f"digest cccc  changed since: now {digest}" in shown
    assert "policy: first  [base]  digest aaaa  missing: /gone/first" in shown
    assert f"reward: judge  [rm]  digest bbbb  changed since: now {digest}" in shown


def test_lineage_json_is_the_tree(bench):
    tree = json.loads(bench("lineage warm --json").out)
    assert (tree["name"], tree["state"], tree["card"]["steps"]) == ("warm", "present", 40)
    assert [parent["name"] for parent in tree["parents"]] == ["base"]


def test_lineage_loads_no_weights_and_no_torch(home):
    code = (
        "import sys\n"
        "from bench.models.lineage import lineage_of\n"
        "from bench.terminal_lineage import print_lineage\n"
        "print_lineage(lineage_of('warm'))\n"
        "assert not {'torch', 'transformers'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=home, capture_output=True, text=True, check=True
    )
    assert "policy: base" in done.stdout


@pytest.mark.parametrize(
    ("command", "typed", "said"),
    [
        ("lineage base", b"", "base: holds no bench.json"),
        ("lineage gone", b"", "no model is named 'gone'"),
        ("chat gone --prompt hi", b"", "no model is named 'gone'"),
        ("chat fake:gold --prompt hi", b"", "has no weights to talk with"),
        ("chat base --prompt ' '", b"", "the prompt is empty"),
        ("chat base", b" \n", "the prompt is empty"),
        ("chat base", None, "the prompt is empty"),
        ("chat base", b"\xff\xfe", "standard input is not UTF-8"),
        ("chat base --prompt hi --temperature -1", b"", "temperature"),
        ("chat base --prompt hi --device abacus", b"", "device 'abacus' cannot be used"),
    ],
)
def test_what_cannot_be_done_exits_1_with_a_remedy(bench, command, typed, said):
    done = bench(command, typed)
    assert (done.code, done.out) == (1, "")
    assert said in done.err
    assert "\n  try: " in done.err


def test_chat_with_a_reward_model_is_refused(bench, home, tmp_path):
    shutil.copytree(home / "base", tmp_path / "judge")
    write_card(tmp_path / "judge", card(stage="rm"))
    done = bench(f"chat {tmp_path / 'judge'} --prompt hi")
    assert done.code == 1
    assert "is a reward model" in done.err


def test_one_prompt_gives_the_reply_alone_on_stdout(bench):
    asked = "chat base --prompt 'house and cat' --temperature 0 --dtype float32"
    told = json.loads(bench(f"{asked} --json").out)
    assert told.keys() == {"reply", "tokens", "finish", "seconds"}
    assert (told["tokens"], told["finish"]) == (7, "stop")
    done = bench(asked)
    assert (done.out, done.err) == (told["reply"] + "\n", "")


def test_a_temperature_that_is_nearly_0_is_greedy(bench):
    cold, greedy = (
        bench(
            f"chat base --prompt 'a b' --dtype float32 --max-tokens 4 --temperature {temperature}"
        )
        for temperature in ("1e-300", "0")
    )
    assert cold.code == 0
    assert cold.out == greedy.out


def test_what_is_piped_in_is_the_prompt_and_context_comes_before_it(bench):
    asked = "chat base --temperature 0 --dtype float32"
    piped = bench(f"{asked} --context 'the dog ran'", b"house and cat\n")
    assert piped.out == bench(f"{asked} --prompt 'the dog ran\n\nhouse and cat'").out
    assert piped.out != bench(f"{asked} --prompt 'house and cat'").out


class Typed(io.TextIOWrapper):
    """Standard input that somebody types."""

    def isatty(self) -> bool:
        return True


def test_without_a_prompt_lines_are_replied_to_until_exit(bench):
    asked = "chat base --temperature 0 --dtype float32"
    alone = bench(f"{asked} --prompt 'house and cat'").out
    done = bench(asked, b"house and cat\n/clear\nhouse and cat\n/exit\n", Typed)
    assert (done.code, done.out) == (0, f"> {alone}> > {alone}> ")
    assert done.err.splitlines()[1:] == ["forgotten"]


@pytest.mark.parametrize("option", ["--json", "--context cats"])
def test_what_goes_with_a_single_reply_is_refused_in_a_conversation(bench, option):
    done = bench(f"chat base {option}", b"", Typed)
    assert (done.code, done.out) == (1, "")
    assert f"{option.split()[0]} goes with a single reply" in done.err


class Terminal:
    """A process on a terminal: what it writes, what is typed."""

    def __init__(self, command: list[str], cwd: Path) -> None:
        self.ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=cwd
        )
        os.close(theirs)
        self.written = ""

    def wait_for(self, text: str) -> str:
        """What was written until `text` came, and then no more of it."""
        while text not in self.written:
            ready, _, _ = select.select([self.ours], [], [], 30)
            assert ready, f"waited for {text!r}, got {self.written!r}"
            self.written += os.read(self.ours, 1024).decode(errors="replace")
        before, _, self.written = self.written.partition(text)
        return before

    def type(self, text: str) -> None:
        """Type a line, or a control character."""
        os.write(self.ours, text.encode())

    def interrupt(self) -> None:
        """What the terminal does at Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def end(self) -> int:
        """The exit code, once the process has ended by itself."""
        code = self.process.wait(timeout=30)
        os.close(self.ours)
        return code


class InterruptedOutput(io.StringIO):
    """Standard output on which the user presses Ctrl-C as soon as something appears."""

    def write(self, text: str) -> int:
        signal.raise_signal(signal.SIGINT)
        return len(text)


def test_ctrl_c_during_a_single_reply_exits_130_and_ends_the_generation(
    bench, monkeypatch, tmp_path
):
    tiny.endless(tmp_path / "model")
    monkeypatch.setattr("sys.stdout", InterruptedOutput())
    before = threading.active_count()
    done = bench(f"chat {tmp_path / 'model'} --max-tokens 500000 --prompt cat")
    assert done.code == 130
    assert done.err.startswith("error: interrupted\n")
    assert threading.active_count() == before


TALKS = """
import time
from bench.errors import UsageError
from bench.terminal_chat import converse
from bench.types import Turn

def answer(turns, show):
    if turns[-1].text == "fail":
        raise UsageError("too long", "say less")
    for turn in turns:
        show(f"<{turn.role}:{turn.text}>")
    if turns[-1].text == "on and on":
        time.sleep(60)
    show("\\x1b[2J.")

converse(answer, [Turn("system", "be brief")])
print("left")
"""


@pytest.fixture
def talking(tmp_path) -> Terminal:
    """A conversation with an answer that repeats the turns it is given."""
    terminal = Terminal([sys.executable, "-c", TALKS], tmp_path)
    assert "Ctrl-D leaves" in terminal.wait_for("> ")
    return terminal


def said(terminal: Terminal, message: str) -> str:
    """What is written between a message and the next prompt."""
    terminal.type(f"{message}\n")
    terminal.wait_for(f"{message}\r\n")
    return terminal.wait_for("\n> ")


def test_turns_add_up_until_they_are_cleared(talking):
    assert said(talking, "a").startswith("<system:be brief><user:a>")
    assert "<user:b>" in said(talking, "b")
    talking.type("/clear\n")
    talking.wait_for("forgotten\r\n> ")
    assert said(talking, "c").startswith("<system:be brief><user:c>")
    talking.type("/exit\n")
    talking.wait_for("left")
    assert talking.end() == 0


def test_ctrl_c_keeps_what_was_said_and_asks_again(talking):
    talking.type("on and on\n")
    talking.wait_for("<user:on and on>")
    talking.interrupt()
    talking.wait_for("stopped\r\n> ")
    assert "<assistant:<system:be brief><user:on and on>><user:b>" in said(talking, "b")
    talking.type("\x04")
    talking.wait_for("left")
    assert talking.end() == 0


def test_ctrl_c_at_the_input_and_an_empty_line_ask_again(talking):
    talking.type("half a line")
    talking.wait_for("half a line")
    time.sleep(0.1)  # readline waits again
    talking.interrupt()
    talking.wait_for("> ")
    talking.type("\n")
    talking.wait_for("> ")
    assert "unknown command /help" in said(talking, "/help")
    talking.type("\x04")
    assert talking.end() == 0


def test_a_message_that_fails_is_forgotten_and_the_conversation_goes_on(talking):
    assert "say less" in said(talking, "fail")
    assert said(talking, "b").startswith("<system:be brief><user:b>")
    talking.type("\x04")
    assert talking.end() == 0


def test_a_reply_cannot_move_the_cursor(talking):
    assert "\x1b" not in said(talking, "a").replace("\x1b[?2004", "")
    talking.type("\x04")
    assert talking.end() == 0
