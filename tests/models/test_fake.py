"""Models without weights say what their names promise."""

import json

import pytest

from bench.errors import ModelError
from bench.models.fake import open_fake
from bench.types import Generation, Request, Turn

KEY = {"2 + 2 =": "4", "sky?": "blue"}
CHOICES = (" red", " blue")


def choose(name, prompt="sky?", choices=CHOICES, key=KEY):
    model = open_fake(name, key)
    (_, reply), *_ = model.answer(model.encode([Request(prompt, choices)]))
    return reply


def write(name, prompt="2 + 2 =", stops=(), key=KEY):
    model = open_fake(name, key)
    request = Request(prompt, generation=Generation(16, stops))
    (_, reply), *_ = model.answer(model.encode([request]))
    return reply


def test_gold_prefers_and_writes_the_target():
    assert choose("fake:gold").logprobs == (-9.0, 0.0)
    assert choose("fake:gold").greedy == (False, True)
    assert write("fake:gold").text == "4"


def test_gold_says_nothing_to_a_prompt_it_does_not_know():
    assert write("fake:gold", "3 + 3 =").text == ""
    assert choose("fake:gold", "sea?").logprobs == ()


def test_empty_says_nothing_and_prefers_nothing():
    assert write("fake:empty").text == ""
    assert choose("fake:empty").logprobs == ()


@pytest.mark.parametrize("text", ["yes, so", "a=b", "no"])
def test_constant_says_its_argument(text):
    assert write(f"fake:constant={text}").text == text
    assert choose(f"fake:constant={text}", choices=(" x", f" {text}")).logprobs == (-9.0, 0.0)


def test_constant_without_an_argument_says_nothing():
    assert write("fake:constant").text == ""
    assert choose("fake:constant").logprobs == ()


def test_random_prefers_a_choice_and_depends_on_the_prompt_alone():
    replies = {prompt: choose("fake:random", prompt).logprobs for prompt in map(str, range(400))}
    assert replies == {prompt: choose("fake:random", prompt).logprobs for prompt in replies}
    first = [logprobs == (0.0, -9.0) for logprobs in replies.values()]
    assert 0.4 < sum(first) / len(first) < 0.6
    assert {write("fake:random", prompt).text for prompt in replies} == {"4", "blue"}


def test_random_without_anything_to_say_says_nothing():
    assert write("fake:random", key={}).text == ""


def test_scripted_says_the_first_line_that_matches(tmp_path):
    lines = [{"contains": "2 +", "reply": "four"}, {"contains": "", "reply": "blue"}]
    path = tmp_path / "script.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    assert write(f"fake:scripted={path}").text == "four"
    assert choose(f"fake:scripted={path}").logprobs == (-9.0, 0.0)


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"not json", ":1: not a line of a script: Expecting value"),
        (b"[1, 2]", ":1: not a line of a script: found list, expected an object"),
        (b'{"contains": "x", "reply": "y"}\n{"contains": "x"}', ":2: .*: reply: found nothing"),
        (b'{"contains": "x", "reply": NaN}', ":1: .*: reply: found NaN, expected a text"),
        (b'{"contains": "x", "contains": "y", "reply": ""}', "'contains' is written twice"),
        (b"\x00", ":1: not a line of a script"),
        (b"\xff\xfe", ": not a script of replies"),
        (b"\n", ": holds no lines"),
    ],
)
def test_a_damaged_script_is_an_error_that_shows_the_format(tmp_path, content, cause):
    path = tmp_path / "script.jsonl"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=cause) as caught:
        open_fake(f"fake:scripted={path}", {})
    assert '{"contains":' in caught.value.remedy


@pytest.mark.parametrize("name", ["fake:scripted", "fake:scripted=/no/such/file"])
def test_a_script_that_is_not_there_is_an_error(name):
    with pytest.raises(ModelError, match="not a script of replies"):
        open_fake(name, {})


@pytest.mark.parametrize(("name", "hint"), [("fake:golden", "gold"), ("fake:", "known: constant")])
def test_an_unknown_fake_gets_the_known_ones(name, hint):
    with pytest.raises(ModelError, match=f"no fake is named '{name}'") as caught:
        open_fake(name, {})
    assert hint in caught.value.remedy


def test_stops_cut_what_a_fake_writes():
    assert write("fake:constant=one. two! three", stops=("!", ".")).text == "one"


def test_without_a_prompt_no_choice_is_preferred():
    assert choose("fake:gold", "").logprobs == (-1.0, -1.0)


def test_prompts_and_choices_in_any_script_are_read_back():
    assert choose("fake:gold", "天?", ("蓝", "é"), {"天?": "蓝"}).logprobs == (0.0, -9.0)


def test_digest_depends_on_the_name_and_on_the_key():
    digests = {
        open_fake("fake:gold", KEY).digest,
        open_fake("fake:random", KEY).digest,
        open_fake("fake:gold", {"2 + 2 =": "5"}).digest,
    }
    assert len(digests) == 3
    assert open_fake("fake:gold", dict(reversed(KEY.items()))).digest in digests


def test_a_fake_has_no_template_and_joins_turns():
    model = open_fake("fake:gold", KEY)
    assert not model.has_chat_template
    assert model.chat([Turn("system", "short"), Turn("user", "sky?")]) == "short\n\nsky?"
    assert model.pieces(model.encode([Request("ab", ("c",))])[0].prompt) == ["a", "b"]


def test_a_fakes_digest_follows_what_it_says_and_nothing_else(tmp_path):
    script = tmp_path / "script.jsonl"
    script.write_text('{"contains": "a", "reply": "b"}\n')
    before = open_fake(f"fake:scripted={script}", {"p": "q"}).digest
    assert open_fake(f"fake:scripted={script}", {}).digest == before
    script.write_text('{"contains": "a", "reply": "c"}\n')
    assert open_fake(f"fake:scripted={script}", {}).digest != before
    assert open_fake("fake:gold", {"p": "q"}).digest != open_fake("fake:gold", {}).digest
