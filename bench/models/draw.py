"""The next token of each row: the most likely one, or a draw by a number from the row's own dice.

A draw inverts the distribution function over token ids, so one number decides it, whatever rows
are beside it. `bench.models.refill` and `bench.models.fixed` call it once a step.

>>> draw(torch.tensor([[0.5, 0.3, 0.2]]).log(), [Generation(1, temperature=1.0)], [0.7]).tolist()
[1]
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from bench.models.draft import Draft
from bench.types import Generation

COLDEST = 1e-30  # a number of 32 bits that logits can be divided by
LIKELIEST = 256  # tokens looked at before all are sorted, which takes 50 times as long on a CPU


def choose(logits: Tensor, drafts: Sequence[Draft]) -> list[int]:
    """The next token of each of `drafts`, from logits [rows, vocabulary]."""
    dice = [(row, draft.dice) for row, draft in enumerate(drafts) if draft.dice is not None]
    chosen: list[int] = [0] * len(drafts)
    if len(dice) < len(drafts):
        # torch 2.13 takes ten times as long to find the greatest of bf16 numbers on a CPU.
        chosen = logits.float().argmax(-1).tolist()
    if dice:
        rows = [row for row, _ in dice]
        own = logits if len(rows) == len(drafts) else logits[torch.tensor(rows)]
        drawn = draw(own, [drafts[row].settings for row in rows], [die.random() for _, die in dice])
        for row, token in zip(rows, drawn.tolist(), strict=True):
            chosen[row] = token
    return chosen


def draw(logits: Tensor, settings: Sequence[Generation], numbers: Sequence[float]) -> Tensor:
    """Token ids [rows] from logits [rows, vocabulary], by a number in [0, 1) each."""
    temperature = [[max(each.temperature, COLDEST)] for each in settings]
    probability = (logits.float() / torch.tensor(temperature, device=logits.device)).softmax(-1)
    rows = [row for row, each in enumerate(settings) if each.top_p < 1.0]
    if rows:
        top_p = torch.tensor([[settings[row].top_p] for row in rows], device=logits.device)
        probability[rows] = _nucleus(probability[rows], top_p)
    reached = probability.cumsum(-1)
    total = reached[:, -1:].contiguous()
    wanted = torch.tensor(numbers, device=logits.device).unsqueeze(1) * total
    # The second bound is the last token with any probability: rounding may have made 1 of a number.
    found = torch.minimum(
        torch.searchsorted(reached, wanted, right=True), torch.searchsorted(reached, total)
    )
    return found.squeeze(1)


def _nucleus(probability: Tensor, top_p: Tensor) -> Tensor:
    """Nucleus sampling (Holtzman et al. 2020, arXiv 1904.09751): the smallest set of tokens whose
    probability reaches `top_p` [rows, 1], and all that are as likely as the last of them; the
    others get 0. Tokens keep their order, so rounding that reorders unlikely ones moves no draw."""
    likeliest = probability.topk(min(LIKELIEST, probability.shape[-1])).values
    least = _least(likeliest, top_p)
    spread = (likeliest.sum(-1) < top_p.squeeze(1)).nonzero().flatten()
    if len(spread):
        ordered = probability[spread].sort(descending=True).values
        least[spread] = _least(ordered, top_p[spread])
    return probability.masked_fill(probability < least, 0.0)


def _least(ordered: Tensor, top_p: Tensor) -> Tensor:
    """The smallest probability in the nucleus, [rows, 1], from the greatest in order."""
    before = ordered.cumsum(-1) - ordered
    return ordered.masked_fill(before >= top_p, torch.inf).amin(-1, keepdim=True)
