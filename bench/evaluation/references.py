"""Whether only what counts as right has changed in a row since it was asked.

Called by `bench.evaluation.run.rescore`: a stored reply may be scored against a gold answer that
was mended, but never against another question.

    choices     the row's old digest is found again with another of its choices as the right one
    plain text  the prompt with its shots has the digest that it had
    chat        so it has through the model's chat template, as long as that can be read
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import permutations

from bench.errors import ModelError
from bench.registry.prompt import ShotSettings, as_text, as_turns, digest, identity
from bench.types import Example, Json, Record, Turn

Render = Callable[[Sequence[Turn]], str]  # a chat as the text that the model reads

MOST_RIGHT = 2  # choices that are right at once, of those that are tried


def only_references_changed(
    record: Record, example: Example, settings: Mapping[str, Json], render: Render | None
) -> bool:
    """Whether `example` (with its shots) asks what `record` was asked; False where nothing says.

    `settings` are those of the run; `render` is the chat template, None where it is not there.
    """
    if example.generation is None:
        return any(
            digest(identity(example.question, right, example.choices, example.check))
            == record.digest
            for count in range(1, MOST_RIGHT + 1)
            for right in permutations(example.choices, count)
        )
    seen = _seen(example, settings, render)
    return seen is not None and digest(seen) == record.prompt_digest


def _seen(
    example: Example, settings: Mapping[str, Json], render: Render | None
) -> list[str] | None:
    """Prompt and delimiter as the model would see them, as in `plan`; None where nothing says."""
    if not settings.get("chat"):
        return [as_text(example), example.delimiter]
    system, together = str(settings.get("system") or ""), settings.get("shots_as") == "text"
    try:
        return [render(as_turns(example, system, not together)), ""] if render else None
    except ModelError:
        return None


def shots_of(settings: Mapping[str, Json]) -> ShotSettings:
    """The shots of a run, as its settings in run.json say."""
    count, seed = settings.get("shots"), settings.get("seed")
    return ShotSettings(
        count if isinstance(count, int) else 0,
        "per_example" if settings.get("shot_choice") == "per_example" else "fixed",
        seed if isinstance(seed, int) else 0,
    )
