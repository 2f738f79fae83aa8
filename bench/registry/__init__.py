"""Tasks as folders: find them, validate them, read their rows, render their prompts."""
