"""A checkpoint of random weights, to time larger models than can be carried.

    python -m tests.speed.common.random_model FOLDER --layers 24 --width 2048

The tokenizer is SmolLM2-135M-Instruct's; shape and names are Llama's. Left out, layers and width
are those of SmolLM2-1.7B. What such a model says means nothing; what it costs does.
"""

import argparse
from pathlib import Path

import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from bench.models.gguf import smollm2_folder

HEAD = 64  # numbers a head
FEED = 4  # times the width


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--layers", type=int, default=24)
    parser.add_argument("--width", type=int, default=2048, help=f"a multiple of {HEAD}")
    chosen = parser.parse_args()
    print(f"{write_model(chosen.folder, chosen.layers, chosen.width):,} parameters")


def write_model(folder: Path, layers: int, width: int) -> int:
    """Write the checkpoint in bf16, the same each time; the number of parameters."""
    tokenizer = AutoTokenizer.from_pretrained(smollm2_folder())
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=FEED * width,
        num_hidden_layers=layers,
        num_attention_heads=width // HEAD,
        max_position_embeddings=8192,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=True,
        dtype=torch.bfloat16,
    )
    torch.manual_seed(0)
    model = LlamaForCausalLM(config).to(torch.bfloat16)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return sum(one.numel() for one in model.parameters())


if __name__ == "__main__":
    main()
