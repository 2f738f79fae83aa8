"""Statistics as pure functions over arrays: no I/O, no torch."""
