"""Names -> folders of weights: the embedded model, local folders, the Hub, adapters with bases.

No torch here: a name can be resolved and its digest taken without loading the model.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from bench.errors import ModelError, did_you_mean
from bench.models.gguf import smollm2_folder
from bench.network import stay_offline_without_network

BUILT_IN = {"smollm2-135m": smollm2_folder}
FAKES = ("fake:gold", "fake:empty", "fake:random", "fake:constant=TEXT", "fake:scripted=FILE")
CONTENT = ("*.safetensors", "*.bin", "*.json", "*.jinja", "*.model", "*.txt")
NOT_CONTENT = ("bench.json", "trainer_state.json", "training_args.bin")


@dataclass(frozen=True, slots=True)
class Weights:
    """Where a checkpoint lies. `base` is the folder an adapter belongs to, None otherwise."""

    name: str
    folder: Path
    base: "Weights | None"
    digest: str


def find_weights(
    name: str,
    revision: str = "",
    base: str = "",
    allow_pickle: bool = False,
    as_base: bool = False,
) -> Weights:
    """The folder that `name` (built-in name, local folder, Hub id) stands for.

    Raises:
        ModelError: nothing has that name, files are missing or damaged, the weights are a pickle
            and `allow_pickle` is False, or an adapter's base cannot be found.
    """
    folder = find_folder(name, revision)
    adapter = folder / "adapter_config.json"
    if adapter.is_file() and as_base:
        raise ModelError(
            f"{folder}: is named as a base, but is an adapter itself",
            "name the base with --base FOLDER",
        )
    if adapter.is_file():
        parent = find_weights(base or _base_name(adapter), "", "", allow_pickle, as_base=True)
        _check_files(folder, "adapter_model", allow_pickle)
        return Weights(name, folder, parent, _digest(folder, parent.digest))
    if not (folder / "config.json").is_file():
        raise ModelError(
            f"{folder}: holds neither config.json nor adapter_config.json",
            "give a folder written by save_pretrained",
        )
    if base:
        raise ModelError(f"{folder}: is no adapter, so --base means nothing", "leave --base out")
    _check_files(folder, "model", allow_pickle)
    return Weights(name, folder, None, _digest(folder, ""))


def find_folder(name: str, revision: str = "") -> Path:
    """The folder that `name` stands for, fetched or converted if need be; not looked into.

    Raises:
        ModelError: nothing has that name.
    """
    if name in BUILT_IN:
        return BUILT_IN[name]()
    if Path(name).is_dir():
        return Path(name)
    if is_hub_id(name):
        return _download(name, revision)
    if name.partition("=")[0] in {fake.partition("=")[0] for fake in FAKES}:
        raise ModelError(
            f"{name}: answers questions of tasks, and has no weights to sample from",
            "give a checkpoint, such as smollm2-135m",
        )
    raise ModelError(
        f"no model is named {name!r}: not a folder, not built in, not a Hub id (org/name)",
        f"{did_you_mean(name, [*BUILT_IN, *FAKES])}; of the Hub as in openai-community/gpt2",
    )


def is_hub_id(name: str) -> bool:
    """Whether `name` has the form org/name."""
    return name.count("/") == 1 and not name.startswith((".", "/", "~"))


def _download(name: str, revision: str) -> Path:
    stay_offline_without_network()
    from huggingface_hub import snapshot_download

    try:
        return Path(
            snapshot_download(name, revision=revision or None, allow_patterns=list(CONTENT))
        )
    except Exception as error:
        reason = " ".join(str(error).split())[:160]
        raise ModelError(
            f"{name}: is no local folder and cannot be fetched from the Hub "
            f"({type(error).__name__}: {reason})",
            "check the name and the network, or give a local folder",
        ) from None


def _base_name(adapter: Path) -> str:
    """The base that an adapter names: a folder, a built-in name or a Hub id."""
    try:
        config = json.loads(adapter.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{adapter}: cannot be read: {error}", "restore the file") from None
    name = config.get("base_model_name_or_path") if isinstance(config, dict) else None
    if not name or not isinstance(name, str):
        raise ModelError(
            f"{adapter}: base_model_name_or_path: found {name!r}, expected a folder or a Hub id",
            "name the base with --base FOLDER",
        )
    if not Path(name).is_dir() and name not in BUILT_IN and not is_hub_id(name):
        raise ModelError(
            f"{adapter}: base_model_name_or_path: no such model {name!r}",
            "name the base with --base FOLDER",
        )
    return name


def _check_files(folder: Path, stem: str, allow_pickle: bool) -> None:
    exact = f"{stem}.safetensors" if stem == "adapter_model" else f"{stem}*.safetensors"
    tensors = sorted(folder.glob(exact))
    pickles = sorted([*folder.glob(f"{stem}*.bin"), *folder.glob(f"pytorch_{stem}*.bin")])
    if not tensors and not (pickles and allow_pickle):
        if pickles:
            raise ModelError(
                f"{pickles[0]}: the weights are a pickle, which can run code when read",
                "convert them to safetensors, or trust them with --allow-pickle",
            )
        raise ModelError(f"{folder}: holds no {stem}*.safetensors", "restore the weights")
    for path in tensors:
        _check_safetensors(path)
    index = folder / f"{stem}.safetensors.index.json"
    if index.is_file():
        _check_shards(index)


def _check_shards(index: Path) -> None:
    """Every file that the index of a sharded checkpoint names is there."""
    try:
        named = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{index}: cannot be read: {error}", "restore the file") from None
    missing = sorted(name for name in named if not (index.parent / name).is_file())
    if missing:
        raise ModelError(f"{index}: names {', '.join(missing)}, not there", "restore the weights")


def _check_safetensors(path: Path) -> None:
    """Header readable and file as long as the header says, without reading the tensors."""
    size = path.stat().st_size
    try:
        with path.open("rb") as content:
            length = int.from_bytes(content.read(8), "little")
            if length > size - 8:
                raise ValueError(f"the header says {length} bytes, the file has {size}")
            header = json.loads(content.read(length))
        ends = [entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__"]
        if 8 + length + max(ends, default=0) != size:
            raise ValueError(f"holds {size} bytes, expected {8 + length + max(ends, default=0)}")
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{path}: damaged safetensors file: {error}", "download or save the weights again"
        ) from None


def _digest(folder: Path, base: str) -> str:
    """SHA-256 over names and contents of the files that decide the answers (16 hex digits)."""
    whole = hashlib.sha256(base.encode())
    paths = {path for pattern in CONTENT for path in folder.glob(pattern)}
    for path in sorted(paths):
        if path.name not in NOT_CONTENT:
            with path.open("rb") as content:
                part = hashlib.file_digest(content, "sha256").hexdigest()
            whole.update(f"{path.name}:{part}\n".encode())
    return whole.hexdigest()[:16]
