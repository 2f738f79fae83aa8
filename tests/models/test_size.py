"""The number of parameters read from files is that of the model that they make."""

import pytest

from bench.models.size import parameter_count
from bench.models.weights import find_weights
from tests.models.tiny import build, save


@pytest.mark.parametrize("family", ["llama", "gpt2", "t5"])
def test_the_files_hold_as_many_parameters_as_the_model(family, tmp_path):
    found = parameter_count(find_weights(str(save(family, tmp_path / family))))
    assert found == build(family).num_parameters()
