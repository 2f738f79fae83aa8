"""Weights -> a transformers model on a device, in a dtype; no remote code, no pickles unasked."""

import warnings
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging

from bench.errors import ModelError
from bench.models.attention import use_fast_decode
from bench.models.memory import raise_if_short
from bench.models.options import DType
from bench.models.weights import Weights

DEFAULT_LENGTH = 2048  # tokens, for models that do not say how many they read
LENGTH_KEYS = (
    "max_position_embeddings",
    "n_positions",
    "n_ctx",
    "max_sequence_length",
    "max_seq_len",
)
PLACE_KEYS = ("max_decoder_position_embeddings", "max_position_embeddings")

logging.set_verbosity_error()  # type: ignore[no-untyped-call]
logging.disable_progress_bar()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Placement:
    """Where and how precisely a model runs."""

    device: torch.device
    dtype: torch.dtype

    @property
    def dtype_name(self) -> str:
        """Such as "bfloat16"."""
        return str(self.dtype).removeprefix("torch.")


def choose_placement(dtype: DType, device: str) -> Placement:
    """`auto` takes a GPU when there is one, and bf16 where the hardware multiplies it.

    Raises:
        ModelError: the device is not available.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        place = torch.device(device)
        torch.empty(1, device=place)
    except (RuntimeError, AssertionError) as error:
        raise ModelError(
            f"device {device!r} cannot be used: {str(error).splitlines()[0]}", "use --device cpu"
        ) from None
    if dtype == "auto":
        return Placement(place, torch.bfloat16 if _multiplies_bf16(place) else torch.float32)
    return Placement(place, getattr(torch, dtype))


def load_config(weights: Weights) -> PreTrainedConfig:
    """The configuration of the checkpoint (of the base, for an adapter).

    Raises:
        ModelError: it cannot be read, or the model needs code from its repository.
    """
    folder = (weights.base or weights).folder
    try:
        config: PreTrainedConfig = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    except Exception as error:  # wrong types in it raise kinds of their own
        raise _unreadable(weights, "configuration", error) from None
    return config


def load_tokenizer(weights: Weights) -> PreTrainedTokenizerBase:
    """The tokenizer of the checkpoint; an adapter without one uses its base's.

    Raises:
        ModelError: it cannot be read.
    """
    own = any(weights.folder.glob("tokenizer*")) or any(weights.folder.glob("*.model"))
    folder = weights.folder if own or weights.base is None else weights.base.folder
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            folder, trust_remote_code=False
        )
    except Exception as error:  # tokenizers raises bare Exception on damaged files
        raise _unreadable(weights, "tokenizer", error) from None
    return tokenizer


def load_model(weights: Weights, placement: Placement, allow_pickle: bool) -> PreTrainedModel:
    """The model in evaluation mode; an adapter is merged into its base.

    Raises:
        ModelError: the weights cannot be read or do not fit the configuration.
    """
    if weights.base is None:
        return place(read_model(weights, placement.dtype, allow_pickle), placement.device)
    model = merge_adapter(read_model(weights, torch.float32, allow_pickle), weights)
    for weight in weights_of(model).values():
        weight.data = weight.data.to(placement.dtype)
    return place(model, placement.device)


def read_model(weights: Weights, dtype: torch.dtype, allow_pickle: bool) -> PreTrainedModel:
    """The checkpoint as it was saved (the base, for an adapter), on the CPU.

    Raises:
        ModelError: the weights cannot be read or do not fit the configuration.
    """
    config = load_config(weights)
    family = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    try:
        opened = family.from_pretrained(
            (weights.base or weights).folder,
            dtype=dtype,
            trust_remote_code=False,
            use_safetensors=None if allow_pickle else True,
            output_loading_info=True,
        )
        model, loaded = cast(tuple[PreTrainedModel, dict[str, list[str]]], opened)
        if loaded["missing_keys"]:  # transformers would fill them with random numbers
            raise ValueError(f"tensors are missing: {', '.join(sorted(loaded['missing_keys']))}")
    except Exception as error:  # safetensors and torch each raise their own kinds
        raise_if_short(error)
        raise _unreadable(weights, "weights", error) from None
    return model


def merge_adapter(model: PreTrainedModel, weights: Weights) -> PreTrainedModel:
    """The base `model` in fp32 with the adapter's deltas added, in the memory of the base.

    Raises:
        ModelError: the adapter cannot be read, or not be merged into this base.
    """
    try:
        return _merge_adapter(model, weights)
    except ModelError:
        raise
    except Exception as error:  # safetensors, torch and peft each raise their own kinds
        raise_if_short(error)
        raise _unreadable(weights, "weights", error) from None


def weights_of(model: PreTrainedModel) -> dict[str, Tensor]:
    """What a checkpoint of `model` holds in floating point, by name; tied weights once.

    Numbers that are computed when a model is made, such as rotary frequencies, are no part of it:
    they stay in fp32 whatever the weights are rounded to.
    """
    held: dict[str, Tensor] = model.state_dict(keep_vars=True)
    names = {id(tensor): name for name, tensor in reversed(held.items())}
    return {name: held[name] for name in names.values() if held[name].is_floating_point()}


def place(model: PreTrainedModel, device: torch.device) -> PreTrainedModel:
    """`model` on `device`, ready to answer."""
    module: nn.Module = model.to(device)  # type: ignore[arg-type]
    placed = cast(PreTrainedModel, module.eval())
    use_fast_decode(placed)
    return placed


def reading_length(config: PreTrainedConfig, tokenizer: PreTrainedTokenizerBase) -> int:
    """How many tokens the model reads."""
    text = config.get_text_config()
    for key in LENGTH_KEYS:
        value = getattr(text, key, None)
        if isinstance(value, int) and value > 0:
            return value
    stated = tokenizer.model_max_length
    return stated if 0 < stated < 10**9 else DEFAULT_LENGTH


def writing_length(config: PreTrainedConfig) -> int | None:
    """How many places the decoder of an encoder-decoder has; None where it counts none (T5)."""
    if not config.is_encoder_decoder:
        return None
    places = [getattr(config, key, None) for key in PLACE_KEYS]
    return next((value for value in places if isinstance(value, int)), None)


def vocabulary_size(model: PreTrainedModel) -> int:
    """Rows of the output embedding, which may exceed the tokenizer's words."""
    head = model.get_output_embeddings()  # type: ignore[no-untyped-call]
    return int(head.weight.shape[0])


def _merge_adapter(model: PreTrainedModel, weights: Weights) -> PreTrainedModel:
    from peft import PeftModel

    source, head = _embeddings(model)
    tied = head.weight is source.weight
    if tied:  # one tensor in the base; yet a delta of one is none of the other
        head.weight = nn.Parameter(head.weight.detach().clone())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # between peft and transformers
        warnings.filterwarnings("error", message="Found missing adapter keys")
        adapted = PeftModel.from_pretrained(model, str(weights.folder))
    if adapted.active_peft_config.is_prompt_learning:
        raise ModelError(
            f"{weights.name}: adapters of the kind {adapted.active_peft_config.peft_type.value} "
            "put learned tokens before the prompt, which cannot be merged into the base",
            "use an adapter that changes weights, such as LoRA",
        )
    merged = cast(PreTrainedModel, adapted.merge_and_unload())
    source, head = _embeddings(merged)
    if tied and torch.equal(head.weight, source.weight):
        head.weight = source.weight
    elif tied:
        merged.config.tie_word_embeddings = False
    return merged


def _embeddings(model: PreTrainedModel) -> tuple[nn.Linear, nn.Linear]:
    """That of the input, and that of the output: of both only the weight is of interest."""
    source, head = model.get_input_embeddings(), model.get_output_embeddings()  # type: ignore[no-untyped-call]
    return cast(nn.Linear, source), cast(nn.Linear, head)


def _multiplies_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu":
        return False
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def _unreadable(weights: Weights, part: str, error: Exception) -> ModelError:
    reason = " ".join(str(error).split())
    if "trust_remote_code" in reason or "custom code" in reason:
        return ModelError(
            f"{weights.name}: needs Python code from its repository, which bench never runs",
            "use a checkpoint of an architecture that transformers knows",
        )
    return ModelError(
        f"{weights.name}: {part} in {weights.folder} cannot be used: "
        f"{type(error).__name__}: {reason[:200]}",
        "pip install 'instruct-bench[local]'"
        if isinstance(error, ImportError)
        else "check that the folder was saved completely",
    )
