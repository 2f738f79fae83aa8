"""PEFT adapters: their answers are those of the merged model; their bases are found or named."""

import copy
import gc
import json
import shutil
import weakref
from pathlib import Path

import pytest
import torch
import transformers
from peft import LoraConfig, PeftModel, PromptTuningConfig, get_peft_model
from safetensors.torch import load_file, save_file

from bench.errors import ModelError
from bench.models.adapters import forget_base, shared_base
from bench.models.hf import HuggingFace
from bench.models.load import Placement, load_model
from bench.models.model import Encoded
from bench.models.options import ModelOptions
from bench.models.weights import find_weights
from bench.types import Generation
from tests.models import tiny

ITEMS = [Encoded(tuple(range(3, 20)), ((5,), (6, 7, 8))), Encoded((9, 8, 7), ((4, 4), (11,)))]
FP32, BF16 = (Placement(torch.device("cpu"), dtype) for dtype in (torch.float32, torch.bfloat16))
GENERATED = [Encoded(item.prompt, generation=Generation(12)) for item in ITEMS]


def load_base(folder):
    return transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)


def save_adapter(base, folder, seed: int, modules) -> Path:
    """A LoRA of the base whose weights are far from zero."""
    settings = LoraConfig(r=4, target_modules=modules, task_type="CAUSAL_LM")
    model = get_peft_model(load_base(base), settings)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in sorted(model.named_parameters()):
            if "lora_" in name:
                weight.copy_(torch.randn(weight.shape, generator=generator) * 0.4)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def adapter(checkpoint, tmp_path_factory):
    folder = tmp_path_factory.mktemp("adapter")
    return save_adapter(checkpoint("llama"), folder, 1, ["q_proj", "up_proj"])


@pytest.fixture(scope="module")
def other(checkpoint, tmp_path_factory):
    folder = tmp_path_factory.mktemp("other")
    return save_adapter(checkpoint("llama"), folder, 2, ["v_proj", "lm_head"])


@pytest.fixture
def copied(adapter, tmp_path):
    return shutil.copytree(adapter, tmp_path / "adapter")


def change(folder, **entries) -> None:
    path = folder / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def opened(folder, base="") -> HuggingFace:
    return HuggingFace(str(folder), ModelOptions(dtype="float32", device="cpu", base=str(base)))


def bf16(folder) -> HuggingFace:
    return HuggingFace(str(folder), ModelOptions(dtype="bfloat16", device="cpu"))


def refused(folder, base="") -> ModelError:
    with pytest.raises(ModelError) as caught:
        list(opened(folder, base).answer(ITEMS))
    assert caught.value.remedy
    return caught.value


def test_answers_are_those_of_the_model_that_peft_merges(checkpoint, adapter, opened_base):
    merged = PeftModel.from_pretrained(load_base(checkpoint("llama")), adapter).merge_and_unload()
    model = opened(adapter)
    scored, made = dict(model.answer(ITEMS)), dict(model.answer(GENERATED))
    unchanged = dict(opened_base.answer(ITEMS))
    for place, item in enumerate(ITEMS):
        expected = [tiny.naive(merged, item.prompt, ids)[0] for ids in item.continuations]
        assert scored[place].logprobs == pytest.approx(expected, abs=1e-4)
        assert scored[place].logprobs != pytest.approx(unchanged[place].logprobs, abs=0.1)
        greedy = tiny.naive_greedy(merged, item.prompt, 12)
        assert made[place].text == model.tokenizer.decode(greedy, skip_special_tokens=True)


@pytest.fixture(scope="module")
def tied(tmp_path_factory):
    """A base whose output embedding is that of the input."""
    folder = tmp_path_factory.mktemp("tied")
    config = copy.deepcopy(tiny.build("llama").config)
    config.tie_word_embeddings = True
    model = transformers.AutoModelForCausalLM.from_config(config).float().eval()
    tiny.widen(model, seed=0)
    model.save_pretrained(folder)
    tiny.tokenizer().save_pretrained(folder)
    return folder


@pytest.mark.parametrize("modules", [["lm_head", "q_proj"], ["embed_tokens"], ["q_proj"]])
def test_a_delta_of_one_tied_embedding_is_none_of_the_other(tied, tmp_path, modules):
    folder = save_adapter(tied, tmp_path / "adapter", 3, modules)
    unmerged = PeftModel.from_pretrained(load_base(tied), folder).eval()
    scored = dict(opened(folder).answer(ITEMS))
    for place, item in enumerate(ITEMS):
        expected = [tiny.naive(unmerged, item.prompt, ids)[0] for ids in item.continuations]
        assert scored[place].logprobs == pytest.approx(expected, abs=1e-3)
    loaded = load_model(find_weights(str(folder)), FP32, False)
    source, head = loaded.get_input_embeddings(), loaded.get_output_embeddings()
    assert (head.weight is source.weight) == (modules == ["q_proj"])


@pytest.fixture(scope="module")
def opened_base(checkpoint):
    return opened(checkpoint("llama"))


def test_the_base_is_named_in_the_description(checkpoint, adapter):
    assert opened(adapter).description["base"] == str(checkpoint("llama"))


def test_the_digest_is_of_adapter_and_base(checkpoint, adapter, copied, tmp_path):
    before = find_weights(str(adapter)).digest
    assert before != find_weights(str(checkpoint("llama"))).digest
    assert find_weights(str(copied)).digest == before
    other = shutil.copytree(checkpoint("llama"), tmp_path / "other")
    (other / "generation_config.json").write_text("{}")
    assert find_weights(str(adapter), base=str(other)).digest != before
    path = copied / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    assert find_weights(str(copied)).digest != before


@pytest.mark.parametrize("name", [None, "", 7])
def test_an_adapter_that_names_no_base_wants_base(checkpoint, copied, name):
    change(copied, base_model_name_or_path=name)
    error = refused(copied)
    assert f"base_model_name_or_path: found {name!r}, expected a folder" in error.cause
    assert "--base" in error.remedy
    assert len(list(opened(copied, checkpoint("llama")).answer(ITEMS))) == len(ITEMS)


@pytest.mark.parametrize("name", ["/gone", "/gone/away", "gone", "./gone", "../gone"])
def test_a_base_that_is_gone_is_named_with_the_option_that_replaces_it(checkpoint, copied, name):
    change(copied, base_model_name_or_path=name)
    error = refused(copied)
    assert f"no such model {name!r}" in error.cause
    assert "--base" in error.remedy
    assert len(list(opened(copied, checkpoint("llama")).answer(ITEMS))) == len(ITEMS)


def test_an_adapter_is_no_base(adapter, copied):
    change(copied, base_model_name_or_path=str(adapter))
    assert f"{adapter}: is named as a base, but is an adapter itself" in refused(copied).cause
    assert "is an adapter itself" in refused(adapter, base=copied).cause


def test_an_adapter_of_learned_prompts_cannot_be_merged(checkpoint, tmp_path):
    settings = PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=2)
    get_peft_model(load_base(checkpoint("llama")), settings).save_pretrained(tmp_path)
    assert "PROMPT_TUNING put learned tokens before the prompt" in refused(tmp_path).cause


def test_an_adapter_is_merged_in_fp32_and_rounded_once(checkpoint, adapter):
    merged = PeftModel.from_pretrained(load_base(checkpoint("llama")), adapter).merge_and_unload()
    expected = merged.to(torch.bfloat16).state_dict()
    for found in (bf16(adapter).model, load_model(find_weights(str(adapter)), BF16, False)):
        assert found.state_dict().keys() == expected.keys()
        assert all(torch.equal(found.state_dict()[name], expected[name]) for name in expected)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_base_that_is_saved_rounded_gives_the_same(checkpoint, other, tmp_path, dtype):
    load_base(checkpoint("llama")).to(torch.bfloat16).save_pretrained(tmp_path)
    tiny.tokenizer().save_pretrained(tmp_path)
    options = ModelOptions(dtype=dtype, device="cpu", base=str(tmp_path))
    model = HuggingFace(str(other), options)
    alone = load_model(model.weights, model.placement, False).state_dict()
    found = model.model.state_dict()
    assert all(torch.equal(found[name], alone[name]) for name in alone)


def test_rotary_frequencies_are_as_exact_as_the_bases(checkpoint, adapter):
    plain = HuggingFace(str(checkpoint("llama")), ModelOptions(dtype="bfloat16", device="cpu"))
    expected = dict(plain.model.named_buffers())
    assert {buffer.dtype for buffer in expected.values()} == {torch.float32}
    for model in (bf16(adapter).model, load_model(find_weights(str(adapter)), BF16, False)):
        found = dict(model.named_buffers())
        assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_adapters_of_one_base_answer_by_turns_as_each_does_alone(checkpoint, adapter, other):
    asked = [*ITEMS, *GENERATED]
    alone = []
    for folder in (adapter, other):
        forget_base()
        alone.append(dict(opened(folder).answer(asked)))
    forget_base()
    models = [opened(folder) for folder in (adapter, other)]
    for number in (0, 1, 0, 0, 1):
        assert dict(models[number].answer(asked)) == alone[number]
    assert alone[0][0].logprobs != pytest.approx(alone[1][0].logprobs, abs=0.1)


def test_half_an_answer_goes_on_with_its_own_adapter(adapter, other):
    first, second = opened(adapter), opened(other)
    whole = dict(first.answer(ITEMS)) | {2: dict(first.answer(GENERATED))}
    going = first.answer([*ITEMS, *GENERATED])
    found = [next(going)]
    list(second.answer(ITEMS))
    found += going
    assert dict(found) == {0: whole[0], 1: whole[1], 2: whole[2][0], 3: whole[2][1]}


def test_adapters_share_the_weights_that_neither_changes(adapter, other):
    forget_base()
    networks = [opened(folder).model for folder in (adapter, other)]
    one, two = (dict(network.named_parameters()) for network in networks)
    shared = {name.split(".")[-2] for name in one if one[name].data_ptr() == two[name].data_ptr()}
    apart = {name.split(".")[-2] for name in one if one[name].data_ptr() != two[name].data_ptr()}
    assert apart == {"q_proj", "up_proj", "v_proj", "lm_head"}
    assert {"embed_tokens", "down_proj", "k_proj", "norm"} <= shared


def test_the_base_is_not_kept_for_a_model_that_is_no_adapter_of_it(checkpoint, adapter):
    kept = weakref.ref(shared_base(find_weights(str(checkpoint("llama"))), FP32, False))
    assert kept() is not None
    list(opened(checkpoint("llama")).answer(ITEMS))
    gc.collect()
    assert kept() is None


def test_a_base_that_does_not_exist_is_an_error(adapter):
    assert "'nowhere'" in refused(adapter, "nowhere").cause


def test_a_base_of_another_architecture_is_an_error(adapter, checkpoint):
    assert "weights" in refused(adapter, checkpoint("gpt2")).cause


def test_an_adapter_without_weights_is_an_error(copied):
    (copied / "adapter_model.safetensors").unlink()
    assert "holds no adapter_model*.safetensors" in refused(copied).cause


def test_a_damaged_adapter_configuration_is_an_error(copied):
    (copied / "adapter_config.json").write_text("{")
    assert "cannot be read" in refused(copied).cause


def test_adapter_tensors_that_are_missing_are_not_zero(copied):
    path = copied / "adapter_model.safetensors"
    tensors = load_file(path)
    del tensors[sorted(tensors)[0]]
    save_file(tensors, path)
    assert "missing adapter keys" in refused(copied).cause


def test_an_adapter_with_its_own_tokenizer_uses_it(copied):
    tiny.tokenizer(bos=True).save_pretrained(copied)
    assert opened(copied).bos_id == 0


def test_a_base_that_a_model_holds_is_not_read_again_when_another_was_asked_for(checkpoint):
    weights = {family: find_weights(str(checkpoint(family))) for family in ("llama", "qwen2")}
    place = Placement(torch.device("cpu"), torch.float32)
    held = shared_base(weights["llama"], place, False)
    other = shared_base(weights["qwen2"], place, False)
    assert shared_base(weights["llama"], place, False) is held
    assert shared_base(weights["qwen2"], place, False) is other


def test_a_base_that_nobody_holds_is_let_go(checkpoint):
    place = Placement(torch.device("cpu"), torch.float32)
    weights = find_weights(str(checkpoint("llama")))
    gone = weakref.ref(shared_base(weights, place, False))
    forget_base()
    gc.collect()
    assert gone() is None
