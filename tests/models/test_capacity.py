"""How much of a device a token's keys and values take, whatever the architecture keeps of them."""

import pytest

from bench.models.capacity import KEY_VALUE_BYTES, bytes_a_token, tokens_held
from tests.models import tiny

FLOAT = 4


@pytest.mark.parametrize(
    ("family", "numbers"),
    [
        ("llama", 2 * 2 * 2 * 8),  # layers, keys and values, key/value heads, their size
        ("gpt2", 2 * 2 * 4 * 8),
        ("deepseek", 2 * (16 + 8)),  # layers, latent and rotary part
        ("lfm2", 1 * 2 * 2 * 8),  # the other layer is a convolution
        ("mamba", 0),
        ("minimax", 0),  # its cache is of its own kind
        ("t5", 0),
    ],
)
def test_bytes_a_token(family, numbers):
    model = tiny.build(family)
    assert bytes_a_token(model) == FLOAT * numbers
    assert tokens_held(model) == (KEY_VALUE_BYTES // (FLOAT * numbers) if numbers else None)
