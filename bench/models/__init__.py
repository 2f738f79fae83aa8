"""Models that score continuations and generate text: Hugging Face checkpoints and fakes."""
