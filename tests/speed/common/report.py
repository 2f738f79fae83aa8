"""leaderboard/speed.json: a section for each benchmark, with the machine that it ran on.

    {"training": {...}, "evaluation": {...}, "limits": {...}}

Each benchmark writes its own section and keeps those of the others.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from bench.models.install import prepare_local

REPORT = Path(__file__).parents[3] / "leaderboard" / "speed.json"
QUIET = {"CI": "1", "HF_HUB_OFFLINE": "1", "PYTHONWARNINGS": "ignore"}


def machine(device: str = "cpu") -> dict[str, object]:
    """What the numbers depend on; nothing that names the machine."""
    import torch

    if device.startswith("cuda"):
        return {"gpu": torch.cuda.get_device_name(device), "cores": os.cpu_count()}
    able = torch.cpu.get_capabilities()
    bf16 = bool(able.get("avx512_bf16") or able.get("amx_bf16"))
    return {"cores": os.cpu_count(), "avx512": bool(able.get("avx512_f")), "multiplies_bf16": bf16}


def chosen_dtype(device: str = "cpu") -> str:
    """The arithmetic that `bench` chooses for this device."""
    prepare_local()  # before the first import of torch
    from bench.models.load import choose_placement

    return choose_placement("auto", device).dtype_name


def write_section(name: str, section: Mapping[str, object], parts: str = "") -> None:
    """Put a section into the report, beside the others.

    Entries of `parts`, a table of its own in the section, are added to those that are there, if all
    else in the section is what it was.
    """
    report = json.loads(REPORT.read_text()) if REPORT.is_file() else {}
    told = json.loads(json.dumps(section))
    before = report.get(name, {})
    if parts and _without(before, parts) == _without(told, parts):
        told[parts] = before[parts] | told[parts]
    report[name] = told
    REPORT.write_text(json.dumps(report, indent=2) + "\n")
    print(f"section {name!r} of {REPORT.name} is written")


def rounded(value: float) -> float:
    return float(f"{value:.4g}")


def _without(section: Mapping[str, object], key: str) -> dict[str, object]:
    return {name: value for name, value in section.items() if name != key}
