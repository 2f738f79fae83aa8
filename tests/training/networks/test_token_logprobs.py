"""Log-probabilities of tokens: torch's own numbers and gradients, in less memory."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.training.networks.token_logprobs import ROWS_AT_ONCE, entropies, token_logprobs

torch.set_num_threads(1)


def drawn(rows: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = 4 * torch.randn(rows, 11, generator=generator, dtype=torch.float64)
    return logits, torch.randint(0, 11, (rows,), generator=generator)


@given(st.integers(1, 9), st.integers(0, 99))
def test_values_and_gradients_are_those_of_log_softmax(rows, seed):
    logits, tokens = drawn(rows, seed)
    ours, theirs = (logits.clone().requires_grad_(True) for _ in range(2))
    found, normaliser = token_logprobs(ours, tokens)
    expected = theirs.log_softmax(-1)[range(rows), tokens]
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(normaliser, logits.logsumexp(-1))
    weights = torch.arange(1.0, rows + 1.0)
    (found * weights).sum().backward()
    (expected * weights).sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_the_normaliser_has_no_gradient():
    logits, tokens = drawn(2)
    assert not token_logprobs(logits.requires_grad_(True), tokens)[1].requires_grad


def test_entropies_are_those_of_the_distributions_whatever_is_held_at_once():
    logits, _ = drawn(2 * ROWS_AT_ONCE + 3)
    expected = torch.distributions.Categorical(logits=logits).entropy()
    torch.testing.assert_close(entropies(logits, logits.logsumexp(-1)), expected)
