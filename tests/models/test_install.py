"""The garbage collector rests while torch is loaded, and is as it was afterwards."""

import gc
import subprocess
import sys

import pytest

from bench.models.install import collector_at_rest

LOADED = """
import gc
from bench.models.install import load_for_good
load_for_good()
print(gc.get_freeze_count() > 100_000, gc.isenabled(), len(gc.get_objects()) < 50_000)
"""


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_rests_and_goes_on_as_before(enabled):
    try:
        gc.enable() if enabled else gc.disable()
        with collector_at_rest():
            assert not gc.isenabled()
        assert gc.isenabled() == enabled
    finally:
        gc.enable()


def test_a_process_of_bench_does_not_look_through_torch_for_garbage():
    told = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == ["True", "True", "True"]
