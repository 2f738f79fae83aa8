"""How long a row may be before its tokens stop seeing each other, or stop being placed alike.

Within this length a prompt's choices can be packed as a tree and prompts can share a cached prefix
(`bench.models.prefix`, `bench.models.decode`): only masks and position ids matter. Beyond it the
distance of two tokens in the row matters too, and padding or other branches between them lie.

    Mistral-7B-v0.1   4096, its sliding window
    Llama-4           8192, its chunks; from there on its attention is sharpened by place in the row
    Llama-3.2-1B      no bound
"""

from transformers import PreTrainedConfig

WINDOW_KEYS = ("sliding_window", "attention_chunk_size", "attention_window_size", "window_size")
UNBOUNDED = 10**9


def reach(config: PreTrainedConfig) -> int:
    """Tokens of the longest row in which every token sees all before it, wherever they lie."""
    text = config.get_text_config()
    bounds = [getattr(text, key, None) for key in WINDOW_KEYS] + [rope_switch(config)]
    if getattr(text, "attn_temperature_tuning", False):
        bounds.append(text.floor_scale)
    return min([size for size in bounds if isinstance(size, int)], default=UNBOUNDED)


def rope_switch(config: PreTrainedConfig) -> int | None:
    """The length past which LongRoPE (Ding et al. 2024, arXiv 2402.13753) rotates by other factors.

    One factor holds for a whole batch, so such rows are run alone.
    """
    rope = getattr(config.get_text_config(), "rope_parameters", None) or {}
    kinds = [rope, *(kind for kind in rope.values() if isinstance(kind, dict))]  # by type of layer
    found = [
        int(kind["original_max_position_embeddings"])
        for kind in kinds
        if kind.get("rope_type") == "longrope"
    ]
    return min(found, default=None)
