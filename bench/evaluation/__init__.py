"""Evaluation: checkpoint x task -> requests -> records, resumable."""
