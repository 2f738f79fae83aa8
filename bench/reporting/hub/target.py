"""Where something is pushed to on the Hub: a Space, a dataset or a model.

Called by `bench.reporting.hub.publish` and `model_index`.

>>> parse_target("hf://spaces/org/board")
Target(kind='space', repo='org/board')
"""

import re
from dataclasses import dataclass
from typing import Literal, get_args

from bench.errors import UsageError, did_you_mean

Kind = Literal["space", "dataset", "model"]
KINDS: dict[str, Kind] = {f"{kind}s": kind for kind in get_args(Kind)}
FORMS = "hf://spaces/ORG/NAME, hf://datasets/ORG/NAME or hf://ORG/MODEL"
NAME = re.compile(r"[A-Za-z0-9](?:[\w.-]{0,94}[A-Za-z0-9_])?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Target:
    """A repository on the Hub; `repo` is ORG/NAME."""

    kind: Kind
    repo: str

    def __str__(self) -> str:
        """As the user writes it."""
        prefix = "" if self.kind == "model" else f"{self.kind}s/"
        return f"hf://{prefix}{self.repo}"


def parse_target(text: str) -> Target:
    """The repository that `text` names, written as one of FORMS (hf://models/ORG/MODEL too).

    Raises:
        UsageError: it is written otherwise; what is wrong is named.
    """
    if not text.startswith("hf://"):
        raise UsageError(f"--to: found {text!r}, expected {FORMS}", "begin with hf://")
    parts = text.removeprefix("hf://").rstrip("/").split("/")
    kind, names = (KINDS[parts[0]], parts[1:]) if parts[0] in KINDS else ("model", parts)
    if len(names) == 3 and kind == "model":
        raise UsageError(
            f"--to: {text!r}: {names[0]!r} is no kind of repository", did_you_mean(names[0], KINDS)
        )
    if len(names) != 2:
        found = (
            f"{len(names)} names behind the kind" if parts[0] in KINDS else f"{len(names)} names"
        )
        raise UsageError(f"--to: {text!r}: found {found}, expected ORG/NAME", f"write {FORMS}")
    repo = "/".join(names)
    if not is_repo_id(repo):
        raise UsageError(
            f"--to: {text!r}: {repo!r} is no name on the Hub",
            "use letters, digits, '-', '_' and '.', neither at the ends nor '--' or '..'",
        )
    return Target(kind, repo)


def is_repo_id(text: str) -> bool:
    """Whether `text` is ORG/NAME as the Hub allows it (huggingface_hub's validate_repo_id)."""
    names = text.split("/")
    strange = "--" in text or ".." in text or text.endswith(".git") or len(text) > 96
    return len(names) == 2 and all(map(NAME.fullmatch, names)) and not strange
