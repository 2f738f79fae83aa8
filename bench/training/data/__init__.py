"""Data: rows of tasks, files and the Hub, cleaned, mixed, held out, as token ids."""
