"""Training: a recipe's stages from a base checkpoint to SFT, reward model, DPO, PPO, RLOO, GRPO."""
