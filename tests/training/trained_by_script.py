"""Trains a tiny model in a process of its own, which the test may kill.

python trained_by_script.py FOLDER UPDATES
"""

import sys
from pathlib import Path

from bench.training.network import Network
from bench.training.outcome import Outcome
from bench.training.sft import train_sft
from tests.training.values import demonstrations, network, settings, site, stream


def train(folder: Path, steps: int) -> tuple[Outcome, Network]:
    """A stage that saves at every other update."""
    trained = network()
    rows = demonstrations(60)
    chosen = settings("sft", steps=steps, save_every=2, ema=0.9, select={"by": "loss"})
    return train_sft(chosen, site(folder), trained, stream(rows[:50], rows[50:]), None), trained


if __name__ == "__main__":
    train(Path(sys.argv[1]), int(sys.argv[2]))
