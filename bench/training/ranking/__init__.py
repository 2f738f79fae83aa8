"""Ranking: replies sampled from a checkpoint and put in order."""
