"""Networks -> checkpoint folders that transformers loads without bench, and reward models back.

    sft/config.json, model.safetensors, tokenizer.json, ...   the policy, an adapter merged into it
       /adapter/                                              the same change as LoRA weights
       /bench.json                                            the card, written last

A reward model is a sequence classifier with one label. The shift that makes demonstrations score 0
has no place among its weights; it stands in config.json as `reward_bias`.
"""

import os
import shutil
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import (
    MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING,
    AutoModelForSequenceClassification,
    GenerationConfig,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from bench.errors import ModelError
from bench.models.load import load_config
from bench.models.weights import CONTENT, NOT_CONTENT, Weights
from bench.training.data.writer import special_ids, turn_end
from bench.training.disk import not_written
from bench.training.networks.network import Network, adapter_tensors, on_trunk
from bench.training.networks.probe import packing_reach
from bench.training.steps.state import WORK

ADAPTER = "adapter"
FILE = "adapter_model.safetensors"
BIAS = "reward_bias"
# What greedy decoding does not read. transformers refuses to save such settings beside it.
SAMPLED_BY = (
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "top_h",
    "typical_p",
    "epsilon_cutoff",
    "eta_cutoff",
)


def save_policy(
    network: Network, tokenizer: PreTrainedTokenizerBase, end: int, parent: str, folder: Path
) -> None:
    """Write the policy to `folder`, which must exist. Merges its adapter: the network is used up.

    `end` is added to the ids that end a reply; `parent` is what the adapter belongs to.
    """
    model = _merged(network, parent, folder)
    model.generation_config = _generation(model, end)
    model.save_pretrained(folder)
    _save_tokenizer(tokenizer, folder)


def save_reward(
    network: Network, tokenizer: PreTrainedTokenizerBase, parent: str, folder: Path
) -> None:
    """Write the reward model to `folder`, which must exist. The network is used up.

    transformers reads a classifier's score at the last token that is not padding, so configuration
    and tokenizer pad with a token that ends no reply. Where a tokenizer has none, neither pads, and
    transformers refuses batches of several texts.

    Raises:
        ModelError: see `require_classifier`.
    """
    assert network.head is not None, "a reward model has a scalar head"
    require_classifier(network.model.config)
    model = _merged(network, parent, folder)
    padded = deepcopy(tokenizer)
    padded.pad_token_id, padded.padding_side = _padding(tokenizer), "right"
    config = deepcopy(model.config)
    config.num_labels = 1
    config.pad_token_id = padded.pad_token_id
    setattr(config, BIAS, network.head.bias.item())
    classifier = _classifier(config)
    classifier.base_model.load_state_dict(model.base_model.state_dict())
    with torch.no_grad():
        _head(classifier).weight.copy_(network.head.weight)
    classifier.save_pretrained(folder)
    _save_tokenizer(padded, folder)


def require_classifier(config: PreTrainedConfig) -> None:
    """Find out before hours of training whether a reward model can be saved.

    Raises:
        ModelError: transformers has no sequence classifier of this architecture, or one whose
            score is not a linear function of a token's last hidden state.
    """
    with torch.device("meta"):
        _head(_classifier(config))


def open_reward(weights: Weights, device: torch.device, dtype: torch.dtype) -> Network:
    """The reward model in `weights`, frozen.

    Raises:
        ModelError: it is no sequence classifier with one label, or cannot be read.
    """
    config = load_config(weights)
    kinds = config.architectures or []
    scores = any(kind.endswith("ForSequenceClassification") for kind in kinds)
    if not scores or config.num_labels != 1:
        raise ModelError(
            f"{weights.name}: is no reward model: {weights.folder / 'config.json'}: architectures: "
            f"found {kinds} with {config.num_labels} labels, expected a sequence classifier with "
            "one label",
            "train one with a stage of kind reward",
        )
    model = _load_classifier(weights)
    placed = cast(PreTrainedModel, model.to(device).eval().requires_grad_(False))  # type: ignore[arg-type]
    head = nn.Linear(_head(placed).in_features, 1).to(device).requires_grad_(False)
    head.weight.copy_(_head(placed).weight)
    head.bias.fill_(float(getattr(config, BIAS, 0.0)))
    autocast = dtype if dtype != torch.float32 else None
    return Network(placed, None, "", head, packing_reach(placed), autocast)


def share_reward(policy: Network, folder: Path, name: str) -> Network:
    """The reward model in `folder` as an adapter `name` beside the policy's: one base for both.

    For a reward model that was trained as an adapter on the very weights the policy starts from.
    """
    assert policy.adapters is not None, "the policy is trained by an adapter"
    policy.adapters.load_adapter(
        str(folder / ADAPTER), adapter_name=name, torch_device=str(policy.device)
    )
    stored = load_file(folder / ADAPTER / "head.safetensors", device=str(policy.device))
    head = nn.Linear(stored["weight"].shape[1], 1).to(policy.device)
    head.load_state_dict(stored)
    return on_trunk(replace(policy, adapter=name, head=head.requires_grad_(False)))


def publish(folder: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a fresh folder, then put its files into `folder` in place of the old ones.

    Raises:
        RunError: the disk is full or the folder cannot be written; what was there is unchanged.
    """
    fresh = folder / WORK / "new"
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        write(fresh)
        _to_disk(fresh)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(fresh, ignore_errors=True)
        kept = "what was there is unchanged", ""
        raise not_written(folder, error, kept, "the checkpoint cannot be written") from None
    _replace_files(fresh, folder)


def _to_disk(folder: Path) -> None:
    """Wait until the files below `folder` would outlast a power cut."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())


def _replace_files(fresh: Path, folder: Path) -> None:
    arriving = {path.name for path in fresh.iterdir()}
    old = {path for pattern in CONTENT for path in folder.glob(pattern)}
    for path in old:
        if path.name not in arriving and path.name not in NOT_CONTENT:
            path.unlink()
    if ADAPTER not in arriving:
        shutil.rmtree(folder / ADAPTER, ignore_errors=True)
    for path in sorted(fresh.iterdir()):
        target = folder / path.name
        if target.is_dir():
            shutil.rmtree(target)
        os.replace(path, target)
    fresh.rmdir()


def _merged(network: Network, parent: str, folder: Path) -> PreTrainedModel:
    """The model with its adapter merged; the adapter is written below `folder`."""
    if network.adapters is None:
        return network.model
    place = folder / ADAPTER
    place.mkdir()
    save_file(adapter_tensors(network), place / FILE)
    config = deepcopy(network.adapters.peft_config[network.adapter])
    config.base_model_name_or_path = parent
    config.inference_mode = True
    config.save_pretrained(str(place))
    if network.head is not None:
        save_file(dict(network.head.state_dict()), place / "head.safetensors")
    merged: nn.Module = network.adapters.merge_and_unload(adapter_names=[network.adapter])
    return cast(PreTrainedModel, merged)


def _generation(model: PreTrainedModel, end: int) -> GenerationConfig:
    """The model's own settings with `end` among the ids that end a text."""
    config = deepcopy(model.generation_config) or GenerationConfig()  # type: ignore[no-untyped-call]
    stated = config.eos_token_id
    known = stated if isinstance(stated, list) else [stated] if stated is not None else []
    config.eos_token_id = known if end in known else [*known, end]
    for name in () if config.do_sample else SAMPLED_BY:
        setattr(config, name, None)
    return config


def _save_tokenizer(tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    try:
        tokenizer.save_pretrained(folder)
    except Exception as error:
        if type(error) is not Exception:
            raise
        raise OSError(str(error)) from None  # tokenizers has no kind of its own for a full disk


def _padding(tokenizer: PreTrainedTokenizerBase) -> int | None:
    """An id that ends no reply and stands for no text: the tokenizer's own padding if it is so."""
    ends = {tokenizer.eos_token_id, turn_end(tokenizer)}
    known = [tokenizer.pad_token_id, *special_ids(tokenizer)]
    return next((token for token in known if token is not None and token not in ends), None)


def _classifier(config: PreTrainedConfig) -> PreTrainedModel:
    if type(config) not in MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING:
        raise _no_classifier(f"has no sequence classifier of {config.model_type}")
    made = AutoModelForSequenceClassification.from_config(  # type: ignore[no-untyped-call]
        config, dtype=torch.float32
    )
    return cast(PreTrainedModel, made)


def _load_classifier(weights: Weights) -> PreTrainedModel:
    try:
        opened = AutoModelForSequenceClassification.from_pretrained(
            weights.folder,
            dtype=torch.float32,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
        )
        model, loaded = cast(tuple[PreTrainedModel, dict[str, list[str]]], opened)
        if loaded["missing_keys"]:  # transformers would fill them with random numbers
            raise ValueError(f"tensors are missing: {', '.join(sorted(loaded['missing_keys']))}")
    except Exception as error:  # safetensors, torch and transformers raise their own kinds
        raise ModelError(
            f"{weights.name}: weights in {weights.folder} cannot be used: {error}",
            "check that the folder was saved completely",
        ) from None
    return model


def _head(classifier: PreTrainedModel) -> nn.Linear:
    """The layer that gives the one label's score, all that stands above the base model."""
    layers = [layer for layer in classifier.children() if layer is not classifier.base_model]
    match layers:
        case [nn.Linear() as head]:
            return head
    kind = type(classifier).__name__
    raise _no_classifier(f"reads no score at a token's last hidden state in {kind}")


def _no_classifier(reason: str) -> ModelError:
    return ModelError(
        f"transformers {reason}, which a reward model is saved as",
        "train the reward model from a checkpoint of another architecture",
    )
