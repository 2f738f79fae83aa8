"""Rewards: what replies are worth, by a reward model, a scorer or a function."""
