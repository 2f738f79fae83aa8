"""The schema of a recipe: one frozen class per stage, a sentence under each field.

A recipe is a YAML file that names a base checkpoint, data, and stages in order:

    base: smollm2-135m
    data:
      tasks: {sources: [{task: topic}, {task: reading}]}
    stages:
      sft: {kind: sft, data: tasks, epochs: 3}
      ranked: {kind: rank, from: sft, prompts: tasks, by: {scorer: headline}}
      rm: {kind: reward, from: sft, rankings: ranked}
      ppo: {kind: ppo, from: sft, prompts: tasks, reward: [{model: rm}], steps: 40}

Unknown keys are errors. `bench.training.recipe` reads the file and resolves the names.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bench.schema import Strict
from bench.training.data.data_settings import Chat, Count, Data, NotNegative, Positive, Share


class Lora(Strict):
    """Low-rank adaptation (Hu et al. 2021, arXiv 2106.09685)."""

    rank: Count = 16
    """Rank r of the update BA."""
    alpha: Positive = 32.0
    """The update is scaled by alpha / rank."""
    targets: tuple[str, ...] = ()
    """Names of the linear layers that are adapted; empty: all but the output embedding."""
    last_layers: Count | None = None
    """Only the last so many layers; the ones below are then not differentiated through."""


class Optimizer(Strict):
    """AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101) and its schedule."""

    lr: Positive = 2e-5
    """Peak learning rate."""
    betas: tuple[Share, Share] = (0.9, 0.95)
    """Adam's decay rates (InstructGPT, appendix C)."""
    eps: Positive = 1e-8
    """Added to the root of the second moment."""
    weight_decay: NotNegative = 0.0
    """Decoupled weight decay of matrices."""
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    """How the rate falls after the warmup."""
    warmup: int = Field(default=0, ge=0)
    """Updates over which the rate rises to lr."""
    warmup_from: Share = 0.0
    """Share of lr at which the warmup starts."""
    final: Share = 0.1
    """Share of lr at the end of a cosine or linear schedule."""
    clip: Positive = 1.0
    """Largest norm of the gradient."""


class Training(Strict):
    """What every stage that trains has."""

    from_: str = Field(default="base", alias="from")
    """The parent: `base`, an earlier stage, or a model's name or folder."""
    lora: Lora | None = None
    """Train a low-rank adapter (merged when saved); left out: all parameters."""
    optimizer: Optimizer = Optimizer()
    """Learning rate and schedule."""
    batch: Count = 32
    """Prompts in one update, over all processes."""
    micro_tokens: Count = 4096
    """Tokens that are run at once, eight times as many where replies are drawn; smaller needs less
    memory and changes last bits only."""
    max_prompt: Count = 512
    """Prompts with more tokens are dropped and counted."""
    max_reply: Count = 128
    """Tokens of a reply; longer demonstrations are dropped and counted."""
    chat: Chat = "auto"
    """Use the tokenizer's chat template: when there is one, always, never."""
    system: str = ""
    """System message of the chat."""
    ema: Share = 0.0
    """Decay of a moving average of the weights, which is then what is saved; 0: none."""
    save_every: Count | None = None
    """Updates between two saved states, from the last of which a killed run goes on; left out: a
    tenth of all, 50 at most."""
    max_loss: Positive | None = None
    """Stop, keeping the last good state, when the loss passes this; left out: only when it is not
    finite, for what is usual depends on the stage (SFT starts at 2 to 4 nats a token)."""


class Select(Strict):
    """Which epoch's weights are kept."""

    by: Literal["last", "loss", "reward"] = "last"
    """The last, the one with the lowest held-out loss, or the highest mean reward on held-out
    prompts (InstructGPT, section 3.5)."""
    reward: str = ""
    """The reward model that judges: a stage, a name or a folder."""

    @model_validator(mode="after")
    def reward_goes_with_by(self) -> Self:
        """`reward` is required by `by: reward`."""
        if (self.by == "reward") != bool(self.reward):
            raise ValueError("reward goes with by: reward, and only with it")
        return self


class Sft(Training):
    """Supervised finetuning: loss on the reply's tokens only."""

    kind: Literal["sft"]
    data: str
    """The mixture to learn."""
    epochs: Positive = 1.0
    """Draws over rows of the mixture."""
    steps: Count | None = None
    """Updates, in place of epochs."""
    dropout: Share = 0.0
    """Probability of every dropout layer (InstructGPT: 0.2); models without one are refused."""
    select: Select = Select()
    """Which epoch's weights are kept."""


class Reward(Training):
    """A reward model: a scalar for each reply, learned from all pairs of every ranking."""

    kind: Literal["reward"]
    rankings: str
    """A rank stage, or data with rankings or pairs."""
    epochs: Positive = 1.0
    """Passes over the rankings; more than one overfits (InstructGPT, footnote 5)."""
    ties: Literal["drop", "half"] = "drop"
    """Pairs of equal rank: left out, or half a win for each (also where nobody compared them)."""
    centre: bool = True
    """Shift the bias so that held-out demonstrations score 0 on average."""


class Dpo(Training):
    """Direct preference optimisation on all decided pairs of every ranking."""

    kind: Literal["dpo"]
    rankings: str
    """A rank stage, or data with rankings or pairs."""
    epochs: Positive = 1.0
    """Passes over the rankings."""
    loss: Literal["sigmoid", "ipo"] = "sigmoid"
    """DPO (arXiv 2305.18290, eq. 7) or IPO (arXiv 2310.12036, eq. 17)."""
    beta: Positive = 0.1
    """Strength of the pull to the reference (tau in IPO)."""
    label_smoothing: Annotated[float, Field(ge=0.0, lt=0.5)] = 0.0
    """Assumed share of wrong labels (conservative DPO)."""


class RewardPart(Strict):
    """One term of the reward: exactly one of `model`, `scorer`, `function`."""

    model: str = ""
    """A reward model: a stage, a name or a folder."""
    scorer: str = ""
    """A scorer of the prompt's own task; `headline` is its first."""
    function: str = ""
    """FILE.py:FUNCTION, given a Prompt and the reply's text, returning a number."""
    weight: float = 1.0
    """Factor of this term in the sum."""

    @model_validator(mode="after")
    def one_kind(self) -> Self:
        """A term is a model, a scorer or a function."""
        if sum(map(bool, (self.model, self.scorer, self.function))) != 1:
            raise ValueError("give exactly one of model, scorer and function")
        return self


class Ptx(Strict):
    """Pretraining or SFT text in the same gradient buffer (InstructGPT, eq. 2)."""

    data: str
    """The mixture that is mixed in."""
    gamma: NotNegative = 27.8
    """Factor of its gradient; its loss is the mean over its tokens."""
    ratio: Positive = 1.0
    """Its rows for each episode in each inner epoch (the paper: 8)."""


class Value(Strict):
    """The value function of PPO; starts as a copy of the first reward model if there is one."""

    lr: Positive = 9e-6
    """Its own learning rate."""
    clip: Positive = 0.2
    """Range within which a value may move from the rollout's."""
    coefficient: Positive = 0.1
    """Factor of its loss."""


class Reinforcement(Training):
    """What PPO, RLOO and GRPO share: rollouts, reward, distance to the reference."""

    prompts: str
    """The mixture that prompts are drawn from."""
    reward: Annotated[tuple[RewardPart, ...], Field(min_length=1)]
    """Terms of the reward, added."""
    steps: Count = 50
    """Rollout batches; each is learned from and dropped."""
    minibatch: Count | None = None
    """Prompts in one update; left out: the whole rollout batch."""
    inner_epochs: Count = 1
    """Passes over each rollout batch."""
    clip: Positive = 0.2
    """Range of the probability ratio (arXiv 1707.06347, eq. 7)."""
    temperature: Positive = 1.0
    """Of the rollouts; the logits are divided by it in every loss too."""
    missing_eos: float | None = -1.0
    """The reward of a reply that does not end within max_reply; null: it is scored as it is."""
    ptx: Ptx | None = None
    """Text mixed in against forgetting."""
    max_kl: Positive | None = None
    """Stop, keeping the last good state, when KL to the reference passes this (nats a reply; what
    recipes set is a net: some units are usual, 50 and more gain reward and lose quality)."""
    measure_every: Count = 10
    """Rollout batches between two measurements on held-out prompts."""


class Ppo(Reinforcement):
    """Proximal policy optimisation with a value function (arXiv 1707.06347; 2203.02155)."""

    kind: Literal["ppo"]
    group: Count = 1
    """Replies a prompt; the paper draws one. More cost little where prompts are long: the prompt is
    run once for all of them."""
    kl: NotNegative = 0.02
    """Coefficient of the KL penalty at each token."""
    kl_target: Positive | None = None
    """Adapt the coefficient towards this KL a reply (arXiv 1909.08593, section 2.2)."""
    kl_horizon: Positive = 10_000.0
    """Episodes over which the coefficient adapts."""
    discount: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    """Of later rewards."""
    lam: Annotated[float, Field(ge=0.0, le=1.0)] = 0.95
    """Lambda of generalised advantage estimation (arXiv 1506.02438)."""
    whiten_rewards: bool = False
    """Scale rewards to unit variance, keeping their mean."""
    value: Value = Value()
    """The value function."""


class Grouped(Reinforcement):
    """Several replies a prompt, each the baseline of the others; no value function."""

    group: Annotated[int, Field(ge=2)] = 4
    """Replies a prompt."""
    kl: NotNegative = 0.05
    """Coefficient of KL to the reference: in the reward (rloo), in the loss (grpo)."""


class Rloo(Grouped):
    """REINFORCE with a leave-one-out baseline (arXiv 2402.14740)."""

    kind: Literal["rloo"]


class Grpo(Grouped):
    """Group-relative policy optimisation (arXiv 2402.03300)."""

    kind: Literal["grpo"]
    scale: bool = True
    """Divide advantages by the group's standard deviation."""


class RankBy(Strict):
    """What ranks the replies: exactly one of `scorer`, `model`, `judge`."""

    scorer: str = ""
    """A scorer of the prompt's own task; `headline` is its first."""
    model: str = ""
    """A reward model: a stage, a name or a folder."""
    judge: str = ""
    """A checkpoint that is asked which of two replies is better, in both orders."""

    @model_validator(mode="after")
    def one_kind(self) -> Self:
        """Replies are ranked by a scorer, a model or a judge."""
        if sum(map(bool, (self.scorer, self.model, self.judge))) != 1:
            raise ValueError("give exactly one of scorer, model and judge")
        return self


class Rank(Strict):
    """Samples K replies to each prompt and ranks them; writes rankings.jsonl, trains nothing."""

    kind: Literal["rank"]
    from_: str = Field(default="base", alias="from")
    """The checkpoint that replies: `base`, an earlier stage, a name or a folder."""
    prompts: str
    """The mixture whose prompts are replied to."""
    by: RankBy
    """What ranks them."""
    replies: Annotated[int, Field(ge=2, le=9)] = 4
    """K (the paper: 4 to 9)."""
    most: Count | None = None
    """Prompts; left out: all."""
    temperature: Positive = 1.0
    """Of the sampling."""
    top_p: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    """Nucleus of the sampling."""
    micro_tokens: Count = 4096
    """Tokens that are run at once, as of the stages that train; smaller needs less memory."""
    max_prompt: Count = 512
    """Prompts with more tokens are dropped and counted."""
    max_reply: Count = 128
    """Tokens of a reply."""
    tie: NotNegative = 0.0
    """Scores that differ by no more than this tie."""
    chat: Chat = "auto"
    """Use the tokenizer's chat template: when there is one, always, never."""
    system: str = ""
    """System message of the chat."""


StageSettings = Annotated[
    Sft | Reward | Dpo | Ppo | Rloo | Grpo | Rank, Field(discriminator="kind")
]


class Recipe(Strict):
    """A base checkpoint, data, and the stages that lead on from it, in order."""

    title: str = ""
    """What the recipe is for."""
    base: str
    """The first parent: a built-in name, a folder or a Hub id."""
    seed: int = 0
    """Seed of everything random, together with digests of what is drawn."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Arithmetic of training; auto: bfloat16 where the device multiplies it, else float32."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1, mps."""
    data: dict[str, Data] = Field(default_factory=dict)
    """Named mixtures."""
    stages: dict[str, StageSettings]
    """Named stages, in the order in which they run."""
