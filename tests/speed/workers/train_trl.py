"""SFT updates of TRL's SFTTrainer.

    python -m tests.speed.workers.train_trl THREADS '{"per_device_train_batch_size": 16}'

The JSON object holds further arguments of SFTConfig. The rows arrive as token ids with labels, so
TRL has nothing to tokenize and learns exactly the tokens that `bench` learns.
"""

from tests.speed.workers.answer import Line

line = Line()  # before the imports that are measured

import json  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402

import torch  # noqa: E402
from datasets import Dataset  # noqa: E402
from transformers import (  # noqa: E402
    AutoModelForCausalLM,
    AutoTokenizer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from trl import SFTConfig, SFTTrainer  # noqa: E402

from tests.speed.workers.rows import LONGEST, OPTIMIZER, UPDATES, draw_rows, find_model  # noqa: E402

IGNORED = -100  # label of tokens without loss
COMMON = {
    "max_steps": UPDATES,
    "learning_rate": OPTIMIZER["lr"],
    "adam_beta1": OPTIMIZER["betas"][0],
    "adam_beta2": OPTIMIZER["betas"][1],
    "adam_epsilon": OPTIMIZER["eps"],
    "max_grad_norm": OPTIMIZER["clip"],
    "lr_scheduler_type": "constant",
    "weight_decay": 0.0,
    "use_cpu": True,
    "bf16": False,
    "gradient_checkpointing": False,
    "logging_steps": 1,
    "save_strategy": "no",
    "report_to": "none",
    "disable_tqdm": True,
}


class Pauses(TrainerCallback):
    """Lets the trainer make the updates that are asked for, and wait between."""

    def __init__(self) -> None:
        self.asks = line.asks()
        self.left, self.tokens, self.seen = 0, 0, 0
        self.losses: list[float] = []

    def on_train_begin(self, *_: object, **__: object) -> None:
        line.ready()
        self.left = next(self.asks)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float],
        **_: object,
    ) -> None:
        if "loss" not in logs:  # the summary at the end
            return
        self.losses.append(float(logs["loss"]))
        self.tokens, self.left = int(logs["num_tokens"]), self.left - 1
        if self.left:
            return
        line.answer(tokens=self.tokens - self.seen, losses=self.losses)
        self.seen, self.losses = self.tokens, []
        self.left = next(self.asks, 0)
        control.should_training_stop = not self.left


def main(threads: int, changes: dict[str, object]) -> None:
    torch.set_num_threads(threads)
    folder = find_model().folder
    with tempfile.TemporaryDirectory() as made:
        trainer = SFTTrainer(
            AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32),
            args=SFTConfig(output_dir=made, **{"max_length": LONGEST, **COMMON, **changes}),
            train_dataset=Dataset.from_list([as_trl_has_it(row) for row in draw_rows()]),
            processing_class=AutoTokenizer.from_pretrained(folder),
            callbacks=[Pauses()],
        )
        trainer.train()


def as_trl_has_it(row) -> dict[str, list[int]]:
    (reply,) = row.replies
    return {
        "input_ids": [*row.prompt, *reply],
        "labels": [IGNORED] * len(row.prompt) + list(reply),
    }


main(int(sys.argv[1]), json.loads(sys.argv[2]))
