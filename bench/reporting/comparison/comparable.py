"""Whether two Results may be compared at all, and what a reader must be told where they may.

Called by `bench.reporting.comparison.contrast`.

    refusal  "limit differs (8 against none)"
    notes    ("dtype differs (bfloat16 against float32)",)
"""

from dataclasses import dataclass

from bench.reporting.results.schema import Result
from bench.types import Json

# What decides prompts and decoding, beside the rows and the wording of the task itself.
DECISIVE = (
    "shots",
    "shot_choice",
    "shots_as",
    "seed",
    "system",
    "chat_mode",
    "temperature",
    "top_p",
    "max_tokens",
    "stops",
)
# What only picks rows: it does not matter where shared rows alone are compared.
PICKS_ROWS = ("limit",)


@dataclass(frozen=True, slots=True)
class Comparability:
    """`refusal` is the reason why there is no number, "" where there is one."""

    refusal: str = ""
    notes: tuple[str, ...] = ()


def comparability(
    child: Result, parent: Result, shared_items_only: bool = False, across_shots: bool = False
) -> Comparability:
    """Whether `child` may be compared with `parent` on their task.

    With `shared_items_only` the rows may differ: only those with one digest are compared then, and
    the caller counts the rest. With `across_shots` the number of solved examples may differ, and
    with it the prompts: that is what is compared then.
    """
    differing = [
        *_identity(child, parent, shared_items_only),
        *_settings(child, parent, _decisive(shared_items_only, across_shots)),
        *(() if across_shots else _prompts(child, parent)),
    ]
    told = _settings(child, parent, ("shots",)) if across_shots else []
    return Comparability("; ".join(differing), (*_notes(child, parent), *told))


def _decisive(shared_items_only: bool, across_shots: bool) -> tuple[str, ...]:
    """The settings that must be the same."""
    picks = () if shared_items_only else PICKS_ROWS
    return tuple(key for key in (*DECISIVE, *picks) if not (across_shots and key == "shots"))


def _identity(child: Result, parent: Result, shared_items_only: bool) -> list[str]:
    ours, theirs = child.task, parent.task
    found = []
    if ours.name != theirs.name:
        found.append(f"task differs ({ours.name} against {theirs.name})")
    if ours.variant != theirs.variant:
        found.append(f"variant differs ({shown(ours.variant)} against {shown(theirs.variant)})")
    if ours.version != theirs.version:
        found.append(f"task version differs ({ours.version} against {theirs.version})")
    elif ours.digest != theirs.digest and not shared_items_only:
        found.append(f"rows or scoring differ (digests {ours.digest} against {theirs.digest})")
    return found


def _settings(child: Result, parent: Result, keys: tuple[str, ...]) -> list[str]:
    pairs = [(key, shown(child.settings.get(key)), shown(parent.settings.get(key))) for key in keys]
    return [f"{key} differs ({one} against {other})" for key, one, other in pairs if one != other]


def _prompts(child: Result, parent: Result) -> list[str]:
    """The wording the models saw may differ by the chat template of each, by nothing else."""
    same = child.task.prompts_digest == parent.task.prompts_digest
    rows = child.settings.get("limit") == parent.settings.get("limit")
    if same or not rows or child.task.digest != parent.task.digest or chats(child) or chats(parent):
        return []
    return ["prompts differ, though neither was asked through a chat template"]


def _notes(child: Result, parent: Result) -> tuple[str, ...]:
    """What differs without being a reason to refuse."""
    notes = []
    if chats(child) != chats(parent):
        who = "child" if chats(child) else "parent"
        notes.append(f"only the {who} has a chat template; the other was asked in plain text")
    elif child.task.prompts_digest != parent.task.prompts_digest and chats(child):
        notes.append("prompts differ by their chat templates")
    one, other = shown(child.settings.get("dtype")), shown(parent.settings.get("dtype"))
    if one != other:
        notes.append(f"dtype differs ({one} against {other})")
    return tuple(notes)


def chats(result: Result) -> bool:
    """Whether the model was asked through a chat template."""
    return bool(result.settings.get("chat"))


def shown(value: Json) -> str:
    """A setting for a reader; nothing said is "none"."""
    return "none" if value in (None, "") else str(value)
