"""TRL's trainers and our stages, from texts to losses after several updates of the same model."""

from pathlib import Path

import pytest
import torch
from datasets import Dataset

from bench.models.hf import HuggingFace
from bench.models.options import ModelOptions
from bench.training.data.encode import Entry
from bench.training.data.writer import Writer
from bench.training.networks.layout import Document
from bench.training.networks.network import Network, open_network, without_adapter
from bench.training.objectives.dpo import train_dpo
from bench.training.objectives.sft import train_sft
from bench.types import Prompt, Turn
from tests.models import tiny
from tests.training.values import CPU, log_of, settings, site, stream, weights

# TRL's own settings and trainers ask for what transformers calls by another name.
pytestmark = pytest.mark.filterwarnings("ignore:.*will be removed in v6:FutureWarning")
UPDATES = 4
LR, BETAS = 1e-3, (0.9, 0.95)
EPS = 1e-3  # with a small one AdamW makes a whole step of the rounding of a tiny gradient
ROWS = (  # no token reaches over the end of a prompt
    {"prompt": "what is the house!", "chosen": " cat sat", "rejected": " dog ran to the house"},
    {"prompt": "the question!", "chosen": " and the answer were written", "rejected": " is"},
    {"prompt": "the mat!", "chosen": " is here", "rejected": " on the other country"},
)
ADAM = {"lr": LR, "betas": BETAS, "eps": EPS, "schedule": "constant", "clip": 1e9}
PLAIN = {"optimizer": ADAM, "batch": len(ROWS)}


@pytest.fixture(scope="module")
def oracle():
    """TRL, told to stay off the network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CI", "1")
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield pytest.importorskip("trl", reason="TRL is not installed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tiny.save("llama", tmp_path_factory.mktemp("parity") / "llama", pad="own")


def options(config, folder, rows_at_once=3, **changes):
    return config(
        output_dir=str(folder.parent / "out"),
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        report_to="none",
        disable_tqdm=True,
        save_strategy="no",
        per_device_train_batch_size=rows_at_once,
        gradient_accumulation_steps=3 // rows_at_once,
        max_steps=UPDATES,
        logging_steps=1,
        learning_rate=LR,
        lr_scheduler_type="constant",
        adam_beta1=BETAS[0],
        adam_beta2=BETAS[1],
        adam_epsilon=EPS,
        max_grad_norm=1e9,
        **changes,
    )


def trained_by(trainer_class, folder, rows, args):
    """TRL's trainer after all updates, and the loss of each."""
    trainer = trainer_class(
        str(folder),
        args=args,
        train_dataset=Dataset.from_list(rows),
        processing_class=tiny.tokenizer(pad="own"),
    )
    trainer.train()
    return trainer, [line["loss"] for line in trainer.state.log_history if "loss" in line]


def opened(folder: Path) -> tuple[Network, Writer]:
    model = HuggingFace(str(folder), ModelOptions(dtype="float32", device="cpu"))
    return open_network(model.weights, CPU, torch.float32, None, 0), Writer(model, "off", "")


def entry(writer: Writer, row: dict[str, str], *columns: str) -> Entry:
    """A row as our stages read it, whose replies stand in `columns`, the best first."""
    text = row["prompt"]
    prompt = Prompt("a", text, text, (Turn("user", text),), text, "")
    texts = tuple(row[column] for column in columns)
    replies = tuple(writer.reply(prompt, reply) for reply in texts)
    ranks = tuple(range(1, len(texts) + 1))
    return Entry(prompt, Document("a", writer.prompt(prompt), replies), texts, ranks)


def losses_of(folder: Path) -> list[float]:
    return [line["loss"] for line in log_of(folder) if "loss" in line]


def assert_near(ours: Network, theirs: torch.nn.Module) -> None:
    """All weights moved alike."""
    found = weights(ours)
    for name, value in theirs.named_parameters():
        torch.testing.assert_close(found[name], value.detach(), rtol=1e-5, atol=LR / 100)


def test_texts_become_the_tokens_and_labels_that_trl_gives_them(oracle, folder):
    rows = [{"prompt": row["prompt"], "completion": row["chosen"]} for row in ROWS]
    args = options(oracle.SFTConfig, folder)
    trainer = oracle.SFTTrainer(
        str(folder),
        args=args,
        train_dataset=Dataset.from_list(rows),
        processing_class=tiny.tokenizer(pad="own"),
    )
    _, writer = opened(folder)
    for given, row in zip(trainer.train_dataset, ROWS, strict=True):
        document = entry(writer, row, "chosen").document
        assert given["input_ids"] == [*document.prompt, *document.replies[0]]
        assert given["labels"] == [-100] * len(document.prompt) + [*document.replies[0]]


@pytest.mark.parametrize(("rows_at_once", "micro_tokens"), [(3, 4096), (1, 1)])
def test_sft_learns_as_trl_does(oracle, folder, tmp_path, rows_at_once, micro_tokens):
    rows = [{"prompt": row["prompt"], "completion": row["chosen"]} for row in ROWS]
    args = options(oracle.SFTConfig, folder, rows_at_once)
    trainer, expected = trained_by(oracle.SFTTrainer, folder, rows, args)
    network, writer = opened(folder)
    chosen = settings("sft", steps=UPDATES, micro_tokens=micro_tokens, **PLAIN)
    data = stream([entry(writer, row, "chosen") for row in ROWS])
    train_sft(chosen, site(tmp_path), network, data, None)
    assert len(expected) == UPDATES
    assert losses_of(tmp_path) == pytest.approx(expected, abs=1e-4, rel=1e-5)
    assert_near(network, trainer.model)


@pytest.mark.parametrize("kind", ["sigmoid", "ipo"])
def test_dpo_learns_as_trl_does(oracle, folder, tmp_path, kind):
    args = options(oracle.DPOConfig, folder, loss_type=kind, beta=0.2)
    trainer, expected = trained_by(oracle.DPOTrainer, folder, ROWS, args)
    network, writer = opened(folder)
    chosen = settings("dpo", loss=kind, beta=0.2, epochs=float(UPDATES), **PLAIN)
    data = stream([entry(writer, row, "chosen", "rejected") for row in ROWS])
    train_dpo(chosen, site(tmp_path), network, without_adapter(network), data)
    assert len(expected) == UPDATES
    assert losses_of(tmp_path) == pytest.approx(expected, abs=1e-4, rel=1e-4)
    assert_near(network, trainer.model)
