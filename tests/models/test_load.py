"""Opening a checkpoint: placement, what is refused, when the weights are read."""

import json
import os
import shutil
import subprocess
import sys

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from bench.errors import ModelError
from bench.models.hf import HuggingFace
from bench.models.load import choose_placement, reading_length, writing_length
from bench.models.model import Encoded
from bench.models.options import ModelOptions
from bench.types import Request
from tests.models import tiny

FP32 = ModelOptions(dtype="float32", device="cpu")
ASKED = [Encoded(tuple(range(3, 20)), ((5,), (6, 7, 8)))]


@pytest.fixture
def folder(checkpoint, tmp_path):
    """A copy of the tiny Llama that a test may damage."""
    return shutil.copytree(checkpoint("llama"), tmp_path / "model")


def change(path, **entries) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def refused(folder, options: ModelOptions = FP32) -> ModelError:
    with pytest.raises(ModelError) as caught:
        list(HuggingFace(str(folder), options).answer(ASKED))
    assert "\n" not in caught.value.cause
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize("family", ["llama", "gpt2", "qwen2", "t5"])
@pytest.mark.parametrize("pad", ["", "eos", "own"])
def test_checkpoints_answer_with_and_without_a_pad_token(checkpoint, family, pad):
    eos = family == "t5"
    model = HuggingFace(str(checkpoint(family, pad=pad, eos=eos)), FP32)
    requests = [Request("the cat", (" sat", " ran to")), Request("what is the answer?", (" it",))]
    encoded = model.encode(requests)
    assert encoded[0].prompt == tuple(model.tokenizer("the cat")["input_ids"])
    for place, reply in model.answer(encoded):
        item = encoded[place]
        expected = [tiny.naive(tiny.build(family), item.prompt, ids) for ids in item.continuations]
        assert reply.logprobs == pytest.approx([total for total, _ in expected], abs=1e-4)


def test_encoding_does_not_load_the_weights(checkpoint):
    model = HuggingFace(str(checkpoint("llama")), FP32)
    model.encode([Request("the cat", (" sat",))])
    assert model.digest.endswith("-float32")
    assert model.description["family"] == "llama"
    assert "_whole" not in model.__dict__
    list(model.answer(ASKED))
    assert "_whole" in model.__dict__


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_a_dtype_asked_for_is_the_dtype_used(checkpoint, dtype):
    model = HuggingFace(str(checkpoint("llama")), ModelOptions(dtype=dtype, device="cpu"))
    assert {weight.dtype for weight in model.model.parameters()} == {getattr(torch, dtype)}
    assert model.digest.endswith(f"-{dtype}")
    (_, reply), *_ = model.answer(ASKED)
    exact = tiny.naive(tiny.build("llama"), ASKED[0].prompt, (6, 7, 8))[0]
    assert reply.logprobs[1] == pytest.approx(exact, rel=0.1)


def test_auto_is_bf16_where_the_cpu_multiplies_it():
    able = torch.cpu.get_capabilities()
    wanted = torch.bfloat16 if able.get("avx512_bf16") or able.get("amx_bf16") else torch.float32
    assert choose_placement("auto", "cpu").dtype == wanted


@pytest.mark.skipif(torch.cuda.is_available(), reason="the devices are there")
@pytest.mark.parametrize("device", ["cuda", "cuda:7", "abacus", "mps"])
def test_a_device_that_is_not_there_is_named(device):
    with pytest.raises(ModelError, match=f"device '{device}' cannot be used") as caught:
        choose_placement("auto", device)
    assert caught.value.remedy == "use --device cpu"


HOSTILE = "import pathlib\npathlib.Path({marker!r}).write_text('ran')\n"


@pytest.mark.parametrize("depth", [0, 9])
@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
def test_code_from_the_repository_is_refused_and_not_run(folder, tmp_path, file, depth):
    """However long the path: the message of transformers begins with it."""
    marker = tmp_path / "marker"
    deep = tmp_path.joinpath(*["a-rather-long-name-of-a-folder"] * depth) / "copy"
    shutil.copytree(folder, deep)
    (deep / "mystery.py").write_text(HOSTILE.format(marker=str(marker)))
    if file == "config.json":
        change(deep / file, model_type="mystery", auto_map={"AutoConfig": "mystery.Config"})
    else:
        code = {"AutoTokenizer": ["mystery.Slow", "mystery.Fast"]}
        change(deep / file, tokenizer_class="MysteryTokenizer", auto_map=code)
    error = refused(deep)
    assert not marker.exists()
    assert "needs Python code from its repository, which bench never runs" in error.cause


def test_an_architecture_that_transformers_does_not_know_is_an_error(folder):
    change(folder / "config.json", model_type="mystery")
    assert "mystery" in refused(folder).cause


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"model_type": "llama", "hidden_size": "x"}'])
def test_a_damaged_configuration_is_an_error(folder, content):
    (folder / "config.json").write_text(content)
    assert "configuration" in refused(folder).cause


@pytest.mark.parametrize("content", ["", "{", '{"model": {"type": "?"}}'])
def test_a_damaged_tokenizer_is_an_error(folder, content):
    (folder / "tokenizer.json").write_text(content)
    assert "tokenizer" in refused(folder).cause


def test_tensors_that_are_missing_are_not_filled_with_random_numbers(folder):
    path = folder / "model.safetensors"
    tensors = load_file(path)
    del tensors["model.layers.1.mlp.up_proj.weight"]
    save_file(tensors, path, metadata={"format": "pt"})
    assert "tensors are missing: model.layers.1.mlp.up_proj.weight" in refused(folder).cause


def test_tensors_of_another_shape_are_an_error(folder):
    change(folder / "config.json", intermediate_size=64)
    assert "weights" in refused(folder).cause


def test_pickled_weights_answer_when_they_are_allowed(folder):
    (folder / "model.safetensors").unlink()
    torch.save(tiny.build("llama").state_dict(), folder / "pytorch_model.bin")
    allowed = ModelOptions(dtype="float32", device="cpu", allow_pickle=True)
    (_, reply), *_ = HuggingFace(str(folder), allowed).answer(ASKED)
    exact = [tiny.naive(tiny.build("llama"), ASKED[0].prompt, ids)[0] for ids in ((5,), (6, 7, 8))]
    assert reply.logprobs == pytest.approx(exact, abs=1e-4)


def test_sharded_weights_answer_as_whole_ones(checkpoint, tmp_path):
    tiny.build("llama").save_pretrained(tmp_path, max_shard_size="40KB")
    tiny.tokenizer().save_pretrained(tmp_path)
    assert len(list(tmp_path.glob("model-*.safetensors"))) > 1
    whole = HuggingFace(str(checkpoint("llama")), FP32)
    (_, sharded), *_ = HuggingFace(str(tmp_path), FP32).answer(ASKED)
    (_, reply), *_ = whole.answer(ASKED)
    assert sharded.logprobs == reply.logprobs


@pytest.mark.parametrize(
    ("family", "reads"), [("llama", tiny.READS), ("gpt2", tiny.READS), ("mamba", 2048)]
)
def test_reading_length_is_the_configurations_or_the_default(family, reads):
    assert reading_length(tiny.build(family).config, tiny.tokenizer()) == reads


def test_every_name_of_the_length_is_known():
    assert reading_length(transformers.MptConfig(max_seq_len=64), tiny.tokenizer()) == 64


@pytest.mark.parametrize(
    ("family", "writes"),
    [("bart", tiny.READS), ("prophetnet", tiny.READS), ("t5", None), ("llama", None)],
)
def test_what_an_encoder_decoder_writes_is_bounded_by_its_places(family, writes):
    assert writing_length(tiny.build(family).config) == writes


@pytest.mark.parametrize("where", ["bench.models.load.place", "bench.models.hf.packs"])
def test_a_model_that_does_not_fit_is_named_with_a_remedy(checkpoint, monkeypatch, where):
    def short(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(where, short)
    model = HuggingFace(str(checkpoint("llama")), FP32)
    with pytest.raises(ModelError, match=r"llama.*: out of memory while it was loaded") as caught:
        model.load()
    assert "--dtype bfloat16" in caught.value.remedy


def test_models_that_state_no_length_use_their_tokenizers(checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint("mamba"), tmp_path / "model")
    change(folder / "tokenizer_config.json", model_max_length=77)
    assert HuggingFace(str(folder), FP32).encoder.max_length == 77


def test_pieces_are_the_texts_of_the_tokens(opened):
    model = opened("llama")
    ids = model.encode([Request("what is the cat?", ("yes",))])[0].prompt
    assert "".join(model.pieces(ids)) == "what is the cat?"
    assert model.bos_id is None
    assert not model.has_chat_template


def test_without_the_local_extra_the_error_is_a_pip_command():
    """With a finder that hides the packages, in a process of its own."""
    code = (
        "import sys\n"
        "from bench.errors import ModelError\n"
        "import importlib.util as u\n"
        "real = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name in ('torch', 'safetensors') else real(name)\n"
        "from bench.models.install import prepare_local\n"
        "try:\n    prepare_local()\n"
        "except ModelError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ, capture_output=True, text=True, check=True
    )
    assert "local models need torch, safetensors, not installed" in done.stdout
    assert "try: pip install 'instruct-bench[local]'" in done.stdout
