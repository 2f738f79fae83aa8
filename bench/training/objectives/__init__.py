"""Objectives: what each stage learns from, as pure losses and as the flow around them."""
