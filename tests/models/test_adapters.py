"""PEFT adapters: their answers are those of the merged model; their bases are found or named."""

import json
import shutil

import pytest
import torch
import transformers
from peft import LoraConfig, PeftModel, PromptTuningConfig, get_peft_model
from safetensors.torch import load_file, save_file

from bench.errors import ModelError
from bench.models.hf import HuggingFace
from bench.models.model import Encoded
from bench.models.options import ModelOptions
from bench.models.weights import find_weights
from bench.types import Generation
from tests.models import tiny

ITEMS = [Encoded(tuple(range(3, 20)), ((5,), (6, 7, 8))), Encoded((9, 8, 7), ((4, 4), (11,)))]
GENERATED = [Encoded(item.prompt, generation=Generation(12)) for item in ITEMS]


def load_base(folder):
    return transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)


@pytest.fixture(scope="module")
def adapter(checkpoint, tmp_path_factory):
    """A LoRA of the tiny Llama whose weights are far from zero."""
    folder = tmp_path_factory.mktemp("adapter")
    settings = LoraConfig(r=4, target_modules=["q_proj", "up_proj"], task_type="CAUSAL_LM")
    model = get_peft_model(load_base(checkpoint("llama")), settings)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, weight in sorted(model.named_parameters()):
            if "lora_" in name:
                weight.copy_(torch.randn(weight.shape, generator=generator) * 0.4)
    model.save_pretrained(folder)
    return folder


@pytest.fixture
def copied(adapter, tmp_path):
    return shutil.copytree(adapter, tmp_path / "adapter")


def change(folder, **entries) -> None:
    path = folder / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def opened(folder, base="") -> HuggingFace:
    return HuggingFace(str(folder), ModelOptions(dtype="float32", device="cpu", base=str(base)))


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
    model = HuggingFace(str(adapter), ModelOptions(dtype="bfloat16", device="cpu")).model
    found, expected = model.state_dict(), merged.to(torch.bfloat16).state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


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
