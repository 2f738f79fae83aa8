"""A reward model is refused where it would read what the policy writes as something else."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest

from bench.cards import write_card
from bench.errors import ModelError
from bench.models.hf import HuggingFace
from bench.models.options import ModelOptions
from bench.training.data.writer import Writer
from bench.training.rewards.judges import require_same_tokens
from bench.types import Json
from tests.cards import card
from tests.models import tiny

CHAT = "{% for m in messages %}[{{ m.role }}] {{ m.content }}</s>{% endfor %}[assistant]"
NAMED = "{% for m in messages %}<{{ m.role }}> {{ m.content }}</s>{% endfor %}<assistant>"
CLOSED = CHAT.replace("</s>", "<pad>")  # another token ends a turn
PLAIN: dict[str, Json] = {"kind": "reward", "chat": "off", "system": ""}
AUTO: dict[str, Json] = {"kind": "reward", "chat": "auto", "system": ""}
BRIEF: dict[str, Json] = {"kind": "reward", "chat": "auto", "system": "be brief"}
Make = Callable[..., Writer]


@pytest.fixture
def writer(tmp_path) -> Make:
    """writer(name, template, chat, system, card's settings): of a checkpoint of its own."""

    def made(name, template, chat="auto", system="", trained=None) -> Writer:
        folder: Path = tmp_path / name
        tiny.build("llama").save_pretrained(folder)
        tokenizer = deepcopy(tiny.tokenizer(pad="own"))
        tokenizer.chat_template = template
        tokenizer.save_pretrained(folder)
        if trained is not None:
            write_card(folder, card(stage="rm", settings=trained))
        options = ModelOptions(dtype="float32", device="cpu")
        return Writer(HuggingFace(str(folder), options), chat, system)

    return made


# how the policy is asked; the template and the card of the reward model
SAME = {
    "asked alike": ((CHAT, "auto", ""), CHAT, AUTO),
    "both plain": ((CHAT, "off", ""), CHAT, PLAIN),
    "no template on either side": ((None, "auto", ""), None, AUTO),
    "the same system message": ((CHAT, "auto", "be brief"), CHAT, BRIEF),
    "no card, one template": ((CHAT, "auto", "be brief"), CHAT, None),
    "no card, and the policy is plain": ((CHAT, "off", ""), CHAT, None),
    "no card and no template": ((CHAT, "auto", ""), None, None),
    "another wording of the same template": ((CHAT, "auto", ""), CHAT + "{# same #}", AUTO),
}
# the same, and what the two are said to read and write
OTHER = {
    "another template": ((CHAT, "auto", ""), NAMED, AUTO, "'<user.* writes '.user"),
    "another template without a card": ((CHAT, "auto", ""), NAMED, None, "<user"),
    "another end of turn": ((CHAT, "auto", ""), CLOSED, AUTO, "'<pad>.* writes '</s>"),
    "a system message": ((CHAT, "auto", "be brief"), CHAT, AUTO, "user.* writes '.*system"),
    "no system message": ((CHAT, "auto", ""), CHAT, BRIEF, "system.* writes '.*user"),
    "chat against plain": ((CHAT, "auto", ""), CHAT, PLAIN, "writes"),
    "plain against chat": ((CHAT, "off", ""), CHAT, AUTO, "writes"),
}


@pytest.mark.parametrize(("asked", "template", "trained"), SAME.values(), ids=SAME)
def test_a_reward_model_that_was_asked_as_the_policy_is_may_judge(writer, asked, template, trained):
    policy, judge = writer("policy", *asked), writer("judge", template, trained=trained)
    assert require_same_tokens(policy, judge) is None  # else it raises


@pytest.mark.parametrize(("asked", "template", "trained", "said"), OTHER.values(), ids=OTHER)
def test_one_that_was_asked_otherwise_is_refused(writer, asked, template, trained, said):
    policy, judge = writer("policy", *asked), writer("judge", template, trained=trained)
    with pytest.raises(ModelError, match=said) as caught:
        require_same_tokens(policy, judge)
    assert judge.model.name in caught.value.cause
    assert policy.model.name in caught.value.cause
    assert "\n" not in caught.value.cause
    assert "the same chat and system" in caught.value.remedy
