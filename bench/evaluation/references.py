"""Whether only what counts as right has changed in a row since it was asked.

Called by `bench.evaluation.run.rescore`: a stored reply may be scored against a gold answer that
was mended, but never against another question. No model is needed, so no chat template is there:

    choices     the row's old digest is found again with another of its choices as the right one
    plain text  the prompt with its shots has the digest that it had
"""

from collections.abc import Mapping
from itertools import permutations

from bench.registry.prompt import ShotSettings, as_text, digest, identity
from bench.types import Example, Json, Record

MOST_RIGHT = 2  # choices that are right at once, of those that are tried


def only_references_changed(record: Record, example: Example, chat: bool) -> bool:
    """Whether `example` (with its shots) asks what `record` was asked; False where nothing says."""
    if example.generation is None:
        return any(
            digest(identity(example.question, right, example.choices, example.check))
            == record.digest
            for count in range(1, MOST_RIGHT + 1)
            for right in permutations(example.choices, count)
        )
    return not chat and digest([as_text(example), example.delimiter]) == record.prompt_digest


def shots_of(settings: Mapping[str, Json]) -> ShotSettings:
    """The shots of a run, as its settings in run.json say."""
    count, seed = settings.get("shots"), settings.get("seed")
    return ShotSettings(
        count if isinstance(count, int) else 0,
        "per_example" if settings.get("shot_choice") == "per_example" else "fixed",
        seed if isinstance(seed, int) else 0,
    )
