"""Checkpoints: transformers alone reads what is written, and a failed write harms nothing."""

import json
import multiprocessing
import resource
from copy import deepcopy
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    GenerationConfig,
    ModernBertDecoderConfig,
)

from bench.errors import ModelError, RunError
from bench.models.load import Placement, load_model
from bench.models.weights import find_weights
from bench.training.data.writer import turn_end
from bench.training.networks.checkpoint import (
    _save_tokenizer,
    open_reward,
    publish,
    require_classifier,
    save_policy,
    save_reward,
    share_reward,
)
from bench.training.networks.forward import reply_logprobs, rewards
from bench.training.networks.layout import Document
from bench.training.networks.network import open_network, with_adapter, with_head, without_adapter
from tests.models import tiny
from tests.training.built import CPU, LORA, adapted, batch_of, documents, move, plain_rewards

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")  # between peft and transformers
FAMILIES = ("llama", "gpt2", "qwen2", "gpt_neox", "gemma", "bloom")
VARIANTS = ({}, {"pad": "eos"}, {"pad": "own"}, {"chat": True})
PADDED = [("llama", each) for each in VARIANTS] + [(name, {"pad": "eos"}) for name in FAMILIES[1:]]
IDS = torch.tensor([documents()[0].prompt])
EOS_ENDED = [
    Document("", document.prompt, tuple((*reply, 1) for reply in document.replies))
    for document in documents()
]


def whole(weights):
    return move(open_network(weights, CPU, torch.float32, None, seed=1), seed=1)


def scoring(weights, lora=True):
    """A reward model that has learned something, its bias 0.7."""
    made = move(with_head(adapted(weights) if lora else whole(weights), seed=3), seed=4)
    made.head.bias.data.fill_(0.7)
    return made


def logits_of(model) -> torch.Tensor:
    with torch.no_grad():
        return model(input_ids=IDS).logits


def saved_policy(weights, folder: Path, network=None) -> Path:
    folder.mkdir()
    network = network or adapted(weights)
    save_policy(network, tiny.tokenizer(), 1, str(weights.folder), folder)
    return folder


def saved_reward(weights, folder: Path, network=None, tokenizer=None) -> Path:
    folder.mkdir()
    network = network or scoring(weights)
    save_reward(network, tokenizer or tiny.tokenizer(), str(weights.folder), folder)
    return folder


@pytest.mark.parametrize("family", FAMILIES)
def test_a_merged_policy_gives_in_transformers_what_the_adapter_gave_on_its_base(
    weights, tmp_path, family
):
    policy = adapted(weights(family))
    with torch.no_grad():
        reply_logprobs(policy, batch_of(policy, documents()))
    expected = logits_of(policy.model)
    assert (expected - logits_of(tiny.build(family))).abs().max() > 0.1
    found = logits_of(
        AutoModelForCausalLM.from_pretrained(saved_policy(weights(family), tmp_path / "p", policy))
    )
    assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()


def test_a_policy_is_merged_even_if_its_reference_was_run_last(weights, tmp_path):
    policy = adapted(weights("llama"))
    expected = logits_of(policy.model)
    with torch.no_grad():
        reply_logprobs(without_adapter(policy), batch_of(policy, documents()))
    folder = saved_policy(weights("llama"), tmp_path / "p", policy)
    found = logits_of(AutoModelForCausalLM.from_pretrained(folder))
    torch.testing.assert_close(found, expected, rtol=0.0, atol=1e-4)


def test_a_policy_trained_whole_gives_the_same_logits_and_leaves_no_adapter(weights, tmp_path):
    policy = whole(weights("llama"))
    expected = logits_of(policy.model)
    folder = saved_policy(weights("llama"), tmp_path / "p", policy)
    assert torch.equal(logits_of(AutoModelForCausalLM.from_pretrained(folder)), expected)
    assert not (folder / "adapter").exists()


def test_the_adapter_on_its_base_is_the_merged_policy(weights, tmp_path):
    folder = saved_policy(weights("llama"), tmp_path / "p")
    merged = logits_of(AutoModelForCausalLM.from_pretrained(folder))
    base = AutoModelForCausalLM.from_pretrained(weights("llama").folder)
    found = logits_of(PeftModel.from_pretrained(base, folder / "adapter"))
    torch.testing.assert_close(found, merged, rtol=0.0, atol=1e-4)
    named = find_weights(str(folder / "adapter"))
    placed = load_model(named, Placement(CPU, torch.float32), allow_pickle=False)
    torch.testing.assert_close(logits_of(placed), merged, rtol=0.0, atol=1e-4)


@pytest.mark.parametrize("other", ["policy2", "value", "layers"])
def test_only_the_policys_own_adapter_is_saved(weights, tmp_path, other):
    alone = saved_policy(weights("llama"), tmp_path / "alone")
    policy = adapted(weights("llama"))
    move(with_adapter(policy, LORA, other, seed=2), seed=2)
    beside = saved_policy(weights("llama"), tmp_path / "beside", policy)
    for name in ("model.safetensors", "adapter/adapter_model.safetensors"):
        assert (alone / name).read_bytes() == (beside / name).read_bytes()


def test_nothing_in_a_checkpoint_needs_bench(weights, tmp_path):
    folder = saved_policy(weights("llama"), tmp_path / "p")
    texts = [path.read_text() for path in folder.glob("*.json")]
    assert not any("bench" in text for text in texts)
    assert json.loads((folder / "config.json").read_text())["dtype"] == "float32"
    assert AutoTokenizer.from_pretrained(folder).get_vocab() == tiny.tokenizer().get_vocab()


@pytest.mark.parametrize(
    ("stated", "end", "expected"), [(None, 5, [5]), (1, 5, [1, 5]), ([1], 1, [1])]
)
def test_the_end_of_a_reply_ends_generation(weights, tmp_path, stated, end, expected):
    policy = adapted(weights("llama"))
    policy.model.generation_config = GenerationConfig(eos_token_id=stated)
    save_policy(policy, tiny.tokenizer(), end, "base", tmp_path)
    assert GenerationConfig.from_pretrained(tmp_path).eos_token_id == expected


@pytest.mark.parametrize(("sampled", "kept"), [(False, None), (True, 0.6)])
def test_sampling_settings_that_transformers_would_refuse_to_save_are_left_out(
    weights, tmp_path, sampled, kept
):
    policy = adapted(weights("llama"))
    policy.model.generation_config = GenerationConfig(temperature=0.6, do_sample=sampled)
    save_policy(policy, tiny.tokenizer(), 1, "base", tmp_path)
    assert GenerationConfig.from_pretrained(tmp_path).temperature == kept


@pytest.mark.parametrize(("family", "variant"), PADDED)
def test_transformers_scores_a_padded_batch_as_the_reward_model_did_but_for_its_bias(
    weights, tmp_path, family, variant
):
    network = scoring(weights(family))
    expected = plain_rewards(network, EOS_ENDED) - 0.7
    folder = saved_reward(weights(family), tmp_path / "rm", network, tiny.tokenizer(**variant))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    rows = [[*each.prompt, *reply] for each in EOS_ENDED for reply in each.replies]
    batch = tokenizer.pad({"input_ids": rows}, return_tensors="pt")
    assert batch["attention_mask"][:, 0].all()
    assert not batch["attention_mask"].all()
    with torch.no_grad():
        found = AutoModelForSequenceClassification.from_pretrained(folder)(**batch).logits
    torch.testing.assert_close(found.squeeze(1), expected, rtol=0.0, atol=1e-4)


def test_a_padding_token_of_its_own_is_kept(weights, tmp_path):
    folder = saved_reward(weights("llama"), tmp_path / "rm", None, tiny.tokenizer(pad="own"))
    assert AutoTokenizer.from_pretrained(folder).pad_token == tiny.PAD
    assert json.loads((folder / "config.json").read_text())["pad_token_id"] == 2


def test_the_token_that_ends_a_turn_never_pads(weights, tmp_path):
    tokenizer = deepcopy(tiny.tokenizer(chat=True))
    tokenizer.pad_token = tiny.PAD
    tokenizer.chat_template = "{% for m in messages %}{{ m.content }}<pad>{% endfor %}"
    assert turn_end(tokenizer) == 2
    folder = saved_reward(weights("llama"), tmp_path / "rm", None, tokenizer)
    assert AutoTokenizer.from_pretrained(folder).pad_token == tiny.BOS


def test_where_no_token_can_pad_transformers_refuses_batches_and_scores_texts(weights, tmp_path):
    tokenizer = deepcopy(tiny.tokenizer(pad="eos"))
    for token in (tiny.BOS, tiny.PAD):
        core = json.loads(tokenizer.backend_tokenizer.to_str())
        core["added_tokens"] = [item for item in core["added_tokens"] if item["content"] != token]
        tokenizer = type(tokenizer)(
            tokenizer_object=type(tokenizer.backend_tokenizer).from_str(json.dumps(core)),
            eos_token=tiny.EOS,
            pad_token=tiny.EOS,
        )
    network = scoring(weights("llama"))
    (expected, *_) = (plain_rewards(network, EOS_ENDED) - 0.7).tolist()
    folder = saved_reward(weights("llama"), tmp_path / "rm", network, tokenizer)
    classifier = AutoModelForSequenceClassification.from_pretrained(folder)
    row = torch.tensor([[*EOS_ENDED[0].prompt, *EOS_ENDED[0].replies[0]]])
    assert classifier(input_ids=row).logits.item() == pytest.approx(expected, abs=1e-4)
    with pytest.raises(ValueError, match="padding token"):
        classifier(input_ids=row.repeat(2, 1))


@pytest.mark.parametrize("lora", [True, False])
@pytest.mark.parametrize("family", ["llama", "gpt2", "gpt_neox"])
def test_an_opened_reward_model_gives_the_rewards_of_the_saved_one(weights, tmp_path, family, lora):
    network = scoring(weights(family), lora)
    expected = plain_rewards(network, EOS_ENDED)
    folder = saved_reward(weights(family), tmp_path / "rm", network)
    opened = open_reward(find_weights(str(folder)), CPU, torch.float32)
    assert opened.reach > tiny.READS
    with torch.no_grad():
        found = rewards(opened, batch_of(opened, EOS_ENDED))
    torch.testing.assert_close(found, expected, rtol=0.0, atol=1e-4)
    assert not any(
        value.requires_grad for value in [*opened.model.parameters(), opened.head.weight]
    )


def test_a_reward_model_beside_the_policy_gives_what_it_gives_by_itself(weights, tmp_path):
    folder = saved_reward(weights("llama"), tmp_path / "rm")
    apart = open_reward(find_weights(str(folder)), CPU, torch.float32)
    policy = adapted(weights("llama"), seed=9)
    with torch.no_grad():
        before = reply_logprobs(policy, batch_of(policy, EOS_ENDED))
        shared = share_reward(policy, folder, "reward0")
        assert shared.model is policy.model
        found, expected = (rewards(judge, batch_of(judge, EOS_ENDED)) for judge in (shared, apart))
        torch.testing.assert_close(found, expected, rtol=0.0, atol=1e-4)
        assert torch.equal(reply_logprobs(policy, batch_of(policy, EOS_ENDED)), before)


def test_a_reward_model_beside_the_policy_is_frozen_and_the_policy_is_not(weights, tmp_path):
    folder = saved_reward(weights("llama"), tmp_path / "rm")
    policy = adapted(weights("llama"))
    shared = share_reward(policy, folder, "reward0")
    batch = batch_of(policy, EOS_ENDED)
    (rewards(shared, batch).sum() + reply_logprobs(policy, batch).sum()).backward()
    learning = {name for name, value in policy.model.named_parameters() if value.grad is not None}
    assert learning
    assert all(".policy." in name for name in learning)
    assert shared.head.weight.grad is None


def test_a_language_model_is_no_reward_model(weights):
    with pytest.raises(ModelError, match="is no reward model"):
        open_reward(weights("llama"), CPU, torch.float32)


def test_a_classifier_of_several_labels_is_no_reward_model(weights, tmp_path):
    folder = saved_reward(weights("llama"), tmp_path / "rm")
    config = json.loads((folder / "config.json").read_text())
    config["id2label"] = {"0": "bad", "1": "good"}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="with 2 labels, expected a sequence classifier with one"):
        open_reward(find_weights(str(folder)), CPU, torch.float32)


def test_a_reward_model_without_its_score_is_an_error_and_not_random(weights, tmp_path):
    folder = saved_policy(weights("llama"), tmp_path / "p")
    config = json.loads((folder / "config.json").read_text())
    config |= {"architectures": ["LlamaForSequenceClassification"], "id2label": {"0": "reward"}}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"tensors are missing: score\.weight"):
        open_reward(find_weights(str(folder)), CPU, torch.float32)


def test_what_cannot_be_saved_as_a_reward_model_is_known_before_training():
    require_classifier(tiny.build("gpt2").config)
    with pytest.raises(ModelError, match="no sequence classifier of mamba"):
        require_classifier(tiny.build("mamba").config)
    with pytest.raises(ModelError, match="reads no score at a token's last hidden state"):
        require_classifier(ModernBertDecoderConfig(hidden_size=36, num_hidden_layers=1))


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_publishing_replaces_a_checkpoint_and_keeps_its_card_and_log(weights, tmp_path):
    folder = tmp_path / "stage"
    publish(folder, lambda fresh: (fresh / "config.json").write_text("old"))
    (folder / "bench.json").write_text("card")
    (folder / "training" / "log.jsonl").write_text("log")
    publish(folder, lambda fresh: (fresh / "config.json").write_text("new"))
    assert contents(folder) == {
        "config.json": b"new",
        "bench.json": b"card",
        "training/log.jsonl": b"log",
    }


def test_files_of_an_older_checkpoint_disappear(tmp_path):
    def write_old(fresh: Path) -> None:
        for name in ("model-00001-of-00002.safetensors", "model.safetensors.index.json", "a.jinja"):
            (fresh / name).write_text("old")
        (fresh / "adapter").mkdir()
        (fresh / "adapter" / "adapter_model.safetensors").write_text("old")

    publish(tmp_path, write_old)
    publish(tmp_path, lambda fresh: (fresh / "model.safetensors").write_text("new"))
    assert contents(tmp_path) == {"model.safetensors": b"new"}


def test_a_new_adapter_replaces_the_old_one_whole(tmp_path):
    def write(*names: str):
        def into(fresh: Path) -> None:
            (fresh / "adapter").mkdir()
            for name in names:
                (fresh / "adapter" / name).write_text("x")

        return into

    publish(tmp_path, write("adapter_model.safetensors", "head.safetensors"))
    publish(tmp_path, write("adapter_model.safetensors"))
    assert list(contents(tmp_path)) == ["adapter/adapter_model.safetensors"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_write_that_fails_half_way_changes_nothing(weights, tmp_path, error):
    publish(
        tmp_path,
        lambda fresh: save_policy(adapted(weights("llama")), tiny.tokenizer(), 1, "base", fresh),
    )
    before = contents(tmp_path)

    def fail(fresh: Path) -> None:
        (fresh / "model.safetensors").write_text("half")
        raise error

    with pytest.raises((RunError, KeyboardInterrupt)):
        publish(tmp_path, fail)
    after = contents(tmp_path)
    assert {name: after[name] for name in before} == before
    publish(tmp_path, lambda fresh: (fresh / "config.json").write_text("new"))
    assert list(contents(tmp_path)) == ["config.json"]


def test_a_mistake_while_writing_is_not_taken_for_a_full_disk(tmp_path):
    def mistaken(fresh: Path) -> None:
        raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        publish(tmp_path, mistaken)


def publish_within(size: int, folder: Path, write, told) -> None:
    """In a process whose files may have `size` bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    try:
        publish(folder, write)
    except RunError as error:
        told.put(error.cause)
    else:
        told.put("")


@pytest.mark.parametrize("part", ["model", "tokenizer", "adapter"])
def test_a_full_disk_leaves_the_old_checkpoint_whole(weights, tmp_path, part):
    """Weights and tokenizer are written by libraries with errors of their own kinds."""
    policy, tokenizer = adapted(weights("llama")), tiny.tokenizer()
    size = {"model": 20_000, "tokenizer": 3_000, "adapter": 3_000}[part]

    def write(fresh: Path) -> None:
        save_policy(policy, tokenizer, 1, "base", fresh)

    def write_tokenizer(fresh: Path) -> None:
        _save_tokenizer(tokenizer, fresh)

    publish(tmp_path, lambda fresh: (fresh / "model.safetensors").write_text("old"))
    context = multiprocessing.get_context("fork")
    told = context.Queue()
    chosen = write_tokenizer if part == "tokenizer" else write
    process = context.Process(target=publish_within, args=(size, tmp_path, chosen, told))
    process.start()
    cause = told.get(timeout=60)
    process.join()
    assert "cannot be written" in cause
    assert "File too large" in cause
    assert contents(tmp_path) == {"model.safetensors": b"old"}
