"""What `run.json` and `bench.json` say about the machine: versions, commit, peak memory, energy.

Evaluation and training call it when they start and when they end.

>>> environment()["python"].startswith("3.")
True
"""

import platform
import resource
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

PACKAGES = (
    "instruct-bench",
    "torch",
    "transformers",
    "tokenizers",
    "peft",
    "accelerate",
    "datasets",
    "numpy",
    "scikit-learn",
    "rouge-score",
    "sacrebleu",
)
RAPL = Path("/sys/class/powercap")


def environment() -> dict[str, str]:
    """Python, platform and the versions of the packages that scores and weights depend on."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def git_state() -> dict[str, str]:
    """Commit and whether the tree is dirty, of the working directory; empty outside a checkout."""
    commit = _git("rev-parse", "HEAD")
    if commit is None:
        return {}
    return {"commit": commit, "dirty": "yes" if _git("status", "--porcelain") else "no"}


def peak_memory_bytes() -> int:
    """The most memory this process has held; on a GPU, of the device."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available() and torch.cuda.max_memory_allocated():
        return int(torch.cuda.max_memory_allocated())
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def energy_meter() -> Callable[[], float | None]:
    """Start measuring; the function returned gives the joules used since, None if unknown.

    CPU packages report through RAPL, NVIDIA GPUs through NVML. A counter that wrapped is unknown.
    """
    start = _joules()

    def stop() -> float | None:
        end = _joules()
        if start is None or end is None or end < start:
            return None
        return end - start

    return stop


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _joules() -> float | None:
    parts = [value for value in (_rapl(), _nvml()) if value is not None]
    return sum(parts) if parts else None


def _rapl() -> float | None:
    counters = sorted(RAPL.glob("intel-rapl:[0-9]*/energy_uj"))
    packages = [path for path in counters if path.parent.name.count(":") == 1]
    try:
        values = [int(path.read_text()) for path in packages]
    except OSError:  # readable by root only on many systems
        return None
    return sum(values) / 1e6 if values else None


def _nvml() -> float | None:
    if find_spec("pynvml") is None:
        return None
    nvml = import_module("pynvml")
    try:
        nvml.nvmlInit()
        handles = [nvml.nvmlDeviceGetHandleByIndex(i) for i in range(nvml.nvmlDeviceGetCount())]
        millijoules = [nvml.nvmlDeviceGetTotalEnergyConsumption(handle) for handle in handles]
    except nvml.NVMLError:
        return None
    return float(sum(millijoules)) / 1e3
