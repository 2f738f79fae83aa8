"""Tiny random models and tokenizers, built on the spot: the families, and plain references.

Weights are drawn wide, so that predictions are sharp and a wrong mask or position shows.
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import torch
import transformers as hf
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

WORDS = 320  # vocabulary of every tiny model and of the tokenizer
END_IDS = [1, *range(285, WORDS)]  # many, so that rows end at different lengths
READS = 256  # tokens
BOS, EOS, PAD = "<s>", "</s>", "<pad>"
CHAT = (
    "{{ bos_token }}{% for m in messages %}"
    "{% if m.role == 'system' %}{{ raise_exception('no system turn') }}{% endif %}"
    "[{{ m.role }}] {{ m.content }}\n{% endfor %}[assistant]"
)
SENTENCES = (
    "the cat sat on the mat and the dog ran to the house",
    "what is the capital of the country? the answer is here",
    "the question and the answer were written on the other mat",
)

_DECODER = {
    "vocab_size": WORDS,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": READS,
    "pad_token_id": 2,
}
_GROUPED = _DECODER | {"num_key_value_heads": 2}
_GEMMA = _GROUPED | {"head_dim": 8, "tie_word_embeddings": False}
_MLA = {"q_lora_rank": 16, "kv_lora_rank": 16, "qk_rope_head_dim": 8, "v_head_dim": 8}
_MOE = {"n_routed_experts": 2, "num_experts_per_tok": 1, "n_group": 1, "topk_group": 1}
_LONG_ROPE = {"rope_type": "longrope", "long_factor": [4.0] * 4, "short_factor": [1.0] * 4}
_LONG = {"rope_parameters": _LONG_ROPE, "original_max_position_embeddings": 40}
_LOCAL = {"window_size": 40, "attention_types": [[["global", "local"], 1]]}
_LINEAR = {"layer_types": ["linear_attention", "full_attention"], "block_size": 16}
_LINEAR |= {"head_dim": 8, "num_local_experts": 2, "num_experts_per_tok": 1}
_GPT = {"vocab_size": WORDS, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": READS}
_T5 = {"vocab_size": WORDS, "d_model": 32, "d_ff": 48, "num_layers": 2, "num_heads": 4, "d_kv": 8}
_BART = {"encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "encoder_layers": 2, "decoder_layers": 2}
_BART |= {"vocab_size": WORDS, "d_model": 32, "max_position_embeddings": READS}
_BART |= {"encoder_attention_heads": 4, "decoder_attention_heads": 4}
_SHARPENED = {"attention_chunk_size": 60, "attn_temperature_tuning": True, "floor_scale": 40}
_SHARPENED |= {"attn_scale": 0.5, "no_rope_layers": [1, 0], "head_dim": 8}
_SHARPENED |= {"intermediate_size_mlp": 48, "num_local_experts": 2, "num_experts_per_tok": 1}
_PLACES = {"src_vocab_size": WORDS, "tgt_vocab_size": WORDS, "langs": ["en", "de"]}
_LAYERS = {"num_encoder_layers": 2, "num_decoder_layers": 2, "decoder_start_token_id": 2}
_LAYERS |= {"num_encoder_attention_heads": 4, "num_decoder_attention_heads": 4, "hidden_size": 32}
_LAYERS |= {"encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "vocab_size": WORDS}
_LAYERS |= {"max_position_embeddings": READS, "tie_word_embeddings": False}
_NEO = {"vocab_size": WORDS, "hidden_size": 32, "num_layers": 2, "num_heads": 4}

CONFIGS: dict[str, tuple[str, dict]] = {
    "llama": ("Llama", _GROUPED),
    "gpt2": ("GPT2", _GPT),
    "qwen2": ("Qwen2", _GROUPED),
    "gpt_neox": ("GPTNeoX", _DECODER),
    "gemma": ("Gemma", _GEMMA),
    "deepseek": ("DeepseekV3", _DECODER | _MLA | _MOE | {"moe_intermediate_size": 32}),
    "bloom": ("Bloom", {"vocab_size": WORDS, "hidden_size": 32, "n_layer": 2, "n_head": 4}),
    "mpt": ("Mpt", {"vocab_size": WORDS, "d_model": 32, "n_layers": 2, "n_heads": 4}),
    "mistral": ("Mistral", _GROUPED | {"sliding_window": 8}),
    "mistral_wide": ("Mistral", _GROUPED | {"sliding_window": 40}),
    "gemma2": ("Gemma2", _GEMMA | {"sliding_window": 40, "query_pre_attn_scalar": 8}),
    "gpt_neo": ("GPTNeo", _NEO | _LOCAL),
    "phi3_longrope": ("Phi3", _DECODER | _LONG),
    "llama4": ("Llama4Text", _GROUPED | _SHARPENED),
    "lfm2": ("Lfm2", _GROUPED | {"layer_types": ["conv", "full_attention"]}),
    "recurrent_gemma": ("RecurrentGemma", _GEMMA | {"num_hidden_layers": 3, "lru_width": 32}),
    "mamba": ("Mamba", {"vocab_size": WORDS, "hidden_size": 32, "num_hidden_layers": 2}),
    "minimax": ("MiniMax", _GROUPED | _LINEAR),
    "xlstm": ("xLSTM", {"vocab_size": WORDS, "hidden_size": 32, "num_blocks": 2, "num_heads": 4}),
    "t5": ("T5", _T5 | {"decoder_start_token_id": 2, "tie_word_embeddings": False}),
    "bart": ("Bart", _BART | {"tie_word_embeddings": False}),
    "fsmt": ("FSMT", _BART | _PLACES | {"tie_word_embeddings": False}),
    "prophetnet": ("ProphetNet", _LAYERS),
}
PACKED = ("llama", "gpt2", "qwen2", "gpt_neox", "gemma", "deepseek")
WINDOWED = ("mistral_wide", "gemma2", "gpt_neo", "phi3_longrope")  # packed while rows are short
UNPACKED = ("bloom", "mpt", "mistral", "lfm2", "recurrent_gemma", "mamba", "minimax")
CAUSAL = PACKED + WINDOWED + UNPACKED
FAMILIES = (*CAUSAL, "t5", "bart")
ODD = ("llama4", "xlstm", "fsmt", "prophetnet")  # each has broken the fast engine in its own way


@cache
def tokenizer(
    bos: bool = False, eos: bool = False, pad: str = "", chat: bool = False
) -> hf.PreTrainedTokenizerFast:
    """Byte-level BPE. `bos`, `eos`: added around every text; `pad`: "", "eos" or "own".

    Merges do not stop at white space, so they cross the boundary of context and continuation.
    """
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=WORDS,
        special_tokens=[BOS, EOS, PAD],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
        max_token_length=6,
    )
    core.train_from_iterator(SENTENCES, trainer)
    if bos or eos:
        core.post_processor = processors.TemplateProcessing(
            single=" ".join([BOS] * bos + ["$A"] + [EOS] * eos),
            special_tokens=[(BOS, 0), (EOS, 1)],
        )
    made = hf.PreTrainedTokenizerFast(
        tokenizer_object=core,
        bos_token=BOS if bos or chat else None,
        eos_token=EOS,
        pad_token={"": None, "eos": EOS, "own": PAD}[pad],
    )
    if chat:
        made.chat_template = CHAT
    return made


@cache
def build(family: str) -> hf.PreTrainedModel:
    """The family's model with the same random weights every time, fp32, in evaluation mode."""
    kind, settings = CONFIGS[family]
    config = getattr(hf, f"{kind}Config")(**settings)
    config.bos_token_id, config.eos_token_id = None, 1
    auto = hf.AutoModelForSeq2SeqLM if config.is_encoder_decoder else hf.AutoModelForCausalLM
    with torch.random.fork_rng():
        torch.manual_seed(0)  # biases that a family draws itself, such as Mamba's of its steps
        model = auto.from_config(config).float().eval()
    widen(model, seed=7 if family == "t5" else 0)  # 7: its rows end at different lengths
    made = model.generation_config
    made.eos_token_id, made.pad_token_id, made.bos_token_id = END_IDS, 2, None
    if family == "bart":
        made.forced_bos_token_id, made.forced_eos_token_id = 9, None
    return model


def widen(model: torch.nn.Module, seed: int) -> None:
    """Draw all matrices again, wide enough that predictions are far from uniform."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in sorted(model.named_parameters()):
            if weight.dim() >= 2:
                wide = "emb" in name or "wte" in name or "head" in name or "shared" in name
                drawn = torch.randn(weight.shape, generator=generator)
                weight.copy_(drawn * (0.8 if wide else 0.4))


def save(family: str, folder: Path, **variant: bool | str) -> Path:
    """The checkpoint of `family`, with the tokenizer variant, as a folder."""
    build(family).save_pretrained(folder)
    tokenizer(**variant).save_pretrained(folder)
    return folder


def endless(folder: Path) -> Path:
    """A tiny Llama that reads a million tokens and knows none that ends a reply."""
    save("llama", folder)
    for name, changes in (
        ("config.json", {"max_position_embeddings": 2**20, "eos_token_id": None}),
        ("generation_config.json", {"eos_token_id": None}),
        ("tokenizer_config.json", {"eos_token": None}),
    ):
        content = json.loads((folder / name).read_text()) | changes
        (folder / name).write_text(json.dumps(content))
    return folder


def naive(
    model: hf.PreTrainedModel, prompt: Sequence[int], continuation: Sequence[int]
) -> tuple[float, bool]:
    """Log-likelihood and greedy flag from one full forward: nothing shared, padded or cached."""
    with torch.no_grad():
        if model.config.is_encoder_decoder:
            start = model.config.decoder_start_token_id
            read = torch.tensor([[start, *continuation[:-1]]])
            source = torch.tensor([list(prompt)])
            logits = model(input_ids=source, decoder_input_ids=read, use_cache=False).logits[0]
        else:
            read = torch.tensor([[*prompt, *continuation[:-1]]])
            logits = model(input_ids=read, use_cache=False).logits[0, len(prompt) - 1 :]
    targets = torch.tensor(list(continuation))
    chosen = logits.float().log_softmax(-1).gather(1, targets[:, None])
    return float(chosen.double().sum()), bool((logits.argmax(-1) == targets).all())


def naive_greedy(
    model: hf.PreTrainedModel,
    prompt: Sequence[int],
    max_tokens: int,
    end_ids: Sequence[int] = tuple(END_IDS),
) -> list[int]:
    """transformers' own greedy generation of one prompt, without the end token."""
    ids = torch.tensor([list(prompt)])
    made = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        do_sample=False,
        max_new_tokens=max_tokens,
        eos_token_id=list(end_ids),
    )[0].tolist()
    made = made[1 if model.config.is_encoder_decoder else len(prompt) :]
    ends = [place for place, token in enumerate(made) if token in end_ids]
    return made[: ends[0]] if ends else made
