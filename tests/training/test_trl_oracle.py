"""TRL as an oracle: its own trainers, on tiny models, give the losses and advantages of ours.

Log-probabilities are recomputed here with one plain forward, so only the formulas are compared.
"""

import pytest
import torch
from datasets import Dataset

from bench.training.objectives import advantages, losses
from tests.models import tiny

torch.set_num_threads(1)
# TRL's own settings and trainers ask for what transformers calls by another name.
pytestmark = pytest.mark.filterwarnings("ignore:.*will be removed in v6:FutureWarning")
PROMPTS = ("what is the", "the question")
ROWS = (
    {"prompt": "what is the", "chosen": " cat sat", "rejected": " dog ran to the house"},
    {"prompt": "the question", "chosen": " and the answer were written", "rejected": " is"},
    {"prompt": "the mat", "chosen": " is here", "rejected": " on the other country"},
)
REPLIES = 4
KL, CLIP = 0.05, 0.2


@pytest.fixture(scope="module")
def oracle():
    """TRL, told to send no telemetry."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CI", "1")
        yield pytest.importorskip("trl", reason="TRL is not installed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny.save("llama", tmp_path_factory.mktemp("oracle") / "llama", pad="own")


def options(config, folder, **settings):
    return config(
        output_dir=str(folder.parent / "out"),
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        report_to="none",
        disable_tqdm=True,
        **settings,
    )


def moved(model, seed):
    """The model after a small random step, so that it differs from what it came from."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.003 * torch.randn(weight.shape, generator=generator))


@torch.no_grad()
def token_logprobs(model, ids, attention_mask):
    """[B, W - 1]: the log-probability of every token after the first."""
    logits = model(input_ids=ids, attention_mask=attention_mask, use_cache=False).logits
    chosen = logits.float().log_softmax(-1)[:, :-1].gather(2, ids[:, 1:].unsqueeze(2))
    return chosen.squeeze(2)


def dpo_pair(oracle, folder, rows, **settings):
    """TRL's mean DPO loss, and the log-probabilities and mask [2 P, T] that it is made of."""
    args = options(oracle.DPOConfig, folder, per_device_train_batch_size=len(rows), **settings)
    trainer = oracle.DPOTrainer(
        str(folder),
        args=args,
        train_dataset=Dataset.from_list(rows),
        processing_class=tiny.tokenizer(pad="own"),
    )
    moved(trainer.model, seed=1)
    batch = next(iter(trainer.get_train_dataloader()))
    loss = trainer._compute_loss(trainer.model, batch, False).item()
    ids, seen = batch["input_ids"], batch["attention_mask"]
    new, old = (token_logprobs(model, ids, seen) for model in (trainer.model, trainer.ref_model))
    return loss, new, old, batch["completion_mask"][:, 1:].bool()


def rolled_out(oracle, folder, trainer_class, config_class, **settings):
    """A trainer whose policy has moved from its reference, its rollout and the rewards it saw."""
    rewards = []

    def reward(completions, **_):
        rewards[:] = [len(text) / 10 + ("e" in text) for text in completions]
        return rewards

    args = options(
        config_class,
        folder,
        per_device_train_batch_size=len(PROMPTS) * REPLIES,
        num_generations=REPLIES,
        max_completion_length=12,
        temperature=1.0,
        epsilon=CLIP,
        beta=KL,
        **settings,
    )
    trainer = trainer_class(
        str(folder),
        reward,
        args=args,
        train_dataset=Dataset.from_list([{"prompt": prompt} for prompt in PROMPTS]),
        processing_class=tiny.tokenizer(pad="own"),
    )
    trainer.current_gradient_accumulation_steps = 1
    moved(trainer.model, seed=2)
    torch.manual_seed(0)
    asked = [{"prompt": prompt} for prompt in PROMPTS for _ in range(REPLIES)]
    rollout = trainer._generate_and_score_completions(asked)
    return trainer, rollout, torch.tensor(rewards)


def reply_logprobs(model, rollout):
    ids = torch.cat((rollout["prompt_ids"], rollout["completion_ids"]), 1)
    seen = torch.cat((rollout["prompt_mask"], rollout["completion_mask"]), 1)
    return token_logprobs(model, ids, seen)[:, -rollout["completion_ids"].shape[1] :]


def ours(new, old, mask, beta, kind, smoothing=0.0):
    reduce = losses.mean_per_reply if kind == "ipo" else lambda x, m: losses.real(x, m).sum(1)
    (chosen, rejected), (old_chosen, old_rejected) = (
        reduce(values, mask).chunk(2) for values in (new, old)
    )
    return losses.dpo_losses(chosen, rejected, old_chosen, old_rejected, beta, kind, smoothing)


@pytest.mark.parametrize("kind", ["sigmoid", "ipo"])
@pytest.mark.parametrize("beta", [0.1, 0.5])
def test_dpo_losses_are_trls(oracle, folder, kind, beta):
    expected, new, old, mask = dpo_pair(oracle, folder, ROWS, loss_type=kind, beta=beta)
    found = ours(new, old, mask, beta, kind).mean().item()
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("row", ROWS)
def test_label_smoothing_is_that_of_trls_aot_on_one_pair(oracle, folder, row):
    # TRL's `sigmoid` has no smoothing; `aot` is the same loss on sorted margins, and one is sorted.
    settings = {"loss_type": "aot", "beta": 0.3, "label_smoothing": 0.2}
    expected, new, old, mask = dpo_pair(oracle, folder, [row], **settings)
    found = ours(new, old, mask, 0.3, "sigmoid", 0.2).item()
    assert found == pytest.approx(expected, rel=1e-5)


def test_rloo_advantages_and_losses_are_trls(oracle, folder):
    trainer, rollout, rewards = rolled_out(oracle, folder, oracle.RLOOTrainer, oracle.RLOOConfig)
    mask = rollout["completion_mask"].bool()
    old = reply_logprobs(trainer.model, rollout)
    reference = reply_logprobs(trainer.ref_model, rollout)
    tokens = advantages.token_rewards(rewards, old, reference, mask, KL)
    worth = advantages.leave_one_out(tokens.sum(1).view(-1, REPLIES)).flatten()
    torch.testing.assert_close(worth, rollout["advantages"], rtol=1e-4, atol=1e-4)
    moved(trainer.model, seed=3)
    new = reply_logprobs(trainer.model, rollout)
    found = losses.sequence_policy_losses(new, old, worth, mask, CLIP)
    expected = trainer._compute_loss(trainer.model, rollout).item()
    assert found.clipped_B.any()
    assert found.losses_B.mean().item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("scale_rewards", "scale"), [("group", True), ("none", False)])
def test_grpo_advantages_and_losses_are_trls(oracle, folder, scale_rewards, scale):
    settings = {"loss_type": "grpo", "num_iterations": 2, "scale_rewards": scale_rewards}
    settings["use_bias_correction_kl"] = False  # TRL's default weighs the KL by the ratio
    trainer, rollout, rewards = rolled_out(
        oracle, folder, oracle.GRPOTrainer, oracle.GRPOConfig, **settings
    )
    mask = rollout["completion_mask"].bool()
    worth = advantages.group_normalised(rewards.view(-1, REPLIES), scale).flatten()
    torch.testing.assert_close(worth, rollout["advantages"], rtol=1e-4, atol=1e-4)
    old = reply_logprobs(trainer.model, rollout)
    reference = reply_logprobs(trainer.ref_model, rollout)
    moved(trainer.model, seed=3)
    new = reply_logprobs(trainer.model, rollout)
    found = losses.grpo_losses(new, old, reference, worth, mask, CLIP, KL)
    expected = trainer._compute_loss(trainer.model, rollout).item()
    assert found.clipped_BT.any()
    replies = losses.mean_per_reply(found.losses_BT, mask)
    assert replies.mean().item() == pytest.approx(expected, rel=1e-4)
