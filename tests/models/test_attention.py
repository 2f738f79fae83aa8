"""The single-token attention equals torch's scaled_dot_product_attention."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from transformers import DynamicCache

from bench.models.attention import NAME, attention, use_fast_decode
from bench.models.front import in_front
from tests.models import tiny

TOLERANCE = {torch.float32: 2e-5, torch.bfloat16: 3e-2}
SHAPES = st.fixed_dictionaries(
    {
        "batch": st.integers(1, 4),
        "groups": st.integers(1, 3),
        "queries": st.sampled_from([1, 2, 4]),
        "keys": st.integers(1, 40),
        "dim": st.sampled_from([4, 8, 16]),
        "value_dim": st.sampled_from([4, 8, 16]),
        "mask": st.sampled_from(["none", "bool", "additive", "bool per head"]),
        "longer_mask": st.booleans(),
        "scaling": st.sampled_from([None, 0.3]),
        "seed": st.integers(0, 10**6),
    }
)


def expected(query, key, value, mask, scaling):
    """In fp32, key/value heads repeated for their query heads."""
    queries = query.shape[1] // key.shape[1]
    key, value = (part.float().repeat_interleave(queries, dim=1) for part in (key, value))
    mask = mask.float() if mask is not None and mask.dtype != torch.bool else mask
    made = nn.functional.scaled_dot_product_attention(
        query.float(), key, value, attn_mask=mask, scale=scaling
    )
    return made.transpose(1, 2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@given(shape=SHAPES)
def test_one_token_a_row_equals_sdpa(dtype, shape):
    made = torch.Generator().manual_seed(shape["seed"])
    batch, keys, heads = shape["batch"], shape["keys"], shape["groups"] * shape["queries"]
    query = torch.randn(batch, heads, 1, shape["dim"], generator=made).to(dtype)
    key = torch.randn(batch, shape["groups"], keys, shape["dim"], generator=made).to(dtype)
    value = torch.randn(batch, shape["groups"], keys, shape["value_dim"], generator=made).to(dtype)
    mask = None
    if shape["mask"] != "none":
        rows = heads if shape["mask"] == "bool per head" else 1
        mask = torch.rand(batch, rows, 1, keys, generator=made) < 0.6
        mask[..., -1] = True
        if shape["mask"] == "additive":
            mask = torch.zeros(mask.shape, dtype=dtype).masked_fill(~mask, torch.finfo(dtype).min)
    given_mask = mask
    if mask is not None and shape["longer_mask"]:
        given_mask = torch.cat([mask, mask[..., :1]], dim=-1)  # static masks are longer than keys
    found, _ = attention(
        nn.Module().eval(), query, key, value, given_mask, scaling=shape["scaling"]
    )
    wanted = expected(query, key, value, mask, shape["scaling"])
    assert found.dtype == dtype
    assert found.shape == wanted.shape
    assert torch.allclose(found.float(), wanted, atol=TOLERANCE[dtype], rtol=TOLERANCE[dtype])


def test_several_tokens_a_row_go_to_the_librarys_kernel():
    made = torch.Generator().manual_seed(0)
    query, key, value = (torch.randn(2, 4, 5, 8, generator=made) for _ in range(3))
    module = nn.Module().eval()
    module.num_key_value_groups, module.is_causal = 1, True
    found, _ = attention(module, query, key, value, None)
    wanted = nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True)
    assert torch.allclose(found, wanted.transpose(1, 2), atol=1e-6)


def test_a_mask_for_other_heads_is_an_error():
    part = torch.zeros(1, 4, 1, 8)
    with pytest.raises(ValueError, match="2 heads, expected 1 or 4"):
        attention(nn.Module().eval(), part, part, part, torch.ones(1, 2, 1, 1).bool())


@pytest.mark.parametrize(("family", "switched"), [("llama", True), ("t5", False), ("mpt", False)])
def test_decoders_that_run_sdpa_are_switched(family, switched):
    import copy

    model = copy.deepcopy(tiny.build(family))
    use_fast_decode(model)
    assert (model.config._attn_implementation == NAME) is switched


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@given(shape=SHAPES, tokens=st.integers(1, 30))
def test_a_prefix_in_front_is_seen_as_if_its_keys_stood_in_every_row(dtype, shape, tokens):
    made = torch.Generator().manual_seed(shape["seed"])
    batch, keys, groups = shape["batch"], shape["keys"], shape["groups"]
    query = torch.randn(batch, groups * shape["queries"], 1, shape["dim"], generator=made).to(dtype)
    front = DynamicCache()
    front.update(
        torch.randn(1, groups, tokens, shape["dim"], generator=made).to(dtype),
        torch.randn(1, groups, tokens, shape["value_dim"], generator=made).to(dtype),
        0,
    )
    key = torch.randn(batch, groups, keys, shape["dim"], generator=made).to(dtype)
    value = torch.randn(batch, groups, keys, shape["value_dim"], generator=made).to(dtype)
    mask = torch.rand(batch, 1, 1, keys, generator=made) < 0.6
    mask[..., -1] = True
    module = nn.Module().eval()
    module.layer_idx = 0
    with in_front(front):
        found, _ = attention(module, query, key, value, mask, scaling=shape["scaling"])
    before, values_before = (part.expand(batch, -1, -1, -1) for part in front_of_layer(front))
    whole = torch.cat([torch.ones(batch, 1, 1, tokens, dtype=torch.bool), mask], -1)
    wanted = expected(
        query,
        torch.cat([before, key], 2),
        torch.cat([values_before, value], 2),
        whole,
        shape["scaling"],
    )
    assert found.dtype == dtype
    assert torch.allclose(found.float(), wanted, atol=TOLERANCE[dtype], rtol=TOLERANCE[dtype])


def front_of_layer(cache):
    return cache.layers[0].keys, cache.layers[0].values
