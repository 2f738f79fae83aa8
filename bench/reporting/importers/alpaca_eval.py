"""AlpacaEval's annotations.json -> a Result for each model and judge: its wins over the reference.

Called by `bench import alpaca_eval PATH`; written for alpaca_eval 0.6. A preference runs from 1
(the reference's reply, output_1) to 2 (the model's, output_2), so that its mean less 1 is the win
rate; a draw is 1.5, or 0 in old files, and counts half.

    alpaca-7b    win_rate .2646 against text_davinci_003, by alpaca_eval_gpt4 (805 items)
"""

from collections.abc import Sequence
from pathlib import Path

from bench.errors import RunError
from bench.reporting.importers.document import Document
from bench.reporting.importers.imported import Imported
from bench.reporting.importers.latest import latest
from bench.reporting.importers.reading import read_array
from bench.reporting.importers.rows import Row, digest_of, items_of, named_once, text_measures
from bench.reporting.importers.unread import unread
from bench.reporting.results.diversity import diversity
from bench.reporting.results.schema import (
    JUDGE,
    REFERENCE,
    REFERENCE_LENGTH,
    SCHEMA_VERSION,
    WIN_RATE,
    WINS,
    ModelEntry,
    Provenance,
    Result,
    TaskEntry,
)
from bench.types import Json

REMEDY = "give annotations.json as alpaca_eval evaluate writes it"
FILE = "annotations.json"
LOW, DRAW, HIGH = 1.0, 1.5, 2.0
FORMER_DRAW = 0.0
UNJUDGED = "the judge gave no preference"
READ = frozenset({"instruction", "generator_1", "generator_2", "annotator", "preference"})
Match = tuple[str, str, str]  # model, judge, reference
LOST = (
    "output_1 (the reference's reply; its length is kept)",
    "output_2 (the model's reply; its length is kept)",
)


def read_alpaca_eval(path: Path) -> Imported:
    """The Results of the file at `path`, or of every annotations.json below it.

    Raises:
        RunError: there is none, a file is damaged, a key is missing, or a preference is neither
            null nor from 1 to 2.
    """
    files = sorted(path.rglob(FILE)) if path.is_dir() else [path]
    if not files:
        raise RunError(f"{path}: holds no {FILE}", REMEDY)
    lost: set[str] = set(LOST)
    results = latest([result for file in files for result in _read(file, lost)], lost)
    return Imported(results, tuple(sorted(lost)))


def _read(file: Path, lost: set[str]) -> list[Result]:
    groups: dict[Match, list[Document]] = {}
    for one in read_array(file, REMEDY):
        match = one.text("generator_2"), one.text("annotator"), one.text("generator_1")
        groups.setdefault(match, []).append(one)
        lost |= unread(dict(one.content), READ | {"output_1", "output_2"})
    if not groups:
        raise RunError(f"{file}: holds no annotations", REMEDY)
    return [_result(file, match, annotations) for match, annotations in groups.items()]


def _result(file: Path, match: Match, annotations: Sequence[Document]) -> Result:
    model, judge, reference = match
    rows = _rows(annotations)
    digests: list[Json] = [row.digest for row in rows]
    references: list[Json] = [one.text("output_1") for one in annotations]
    return Result(
        schema_version=SCHEMA_VERSION,
        model=ModelEntry(name=model, revision="unstated"),
        task=TaskEntry(
            name="alpaca_eval",
            version=1,
            digest=digest_of([digests, references, judge]),
            prompts_digest=digest_of(digests),
            kind="instruction",
            language="en",
            metrics=(WINS,),
            variant=f"{judge} against {reference}",
            title=f"AlpacaEval: wins over {reference}",
            source="tatsu-lab/alpaca_eval",
        ),
        settings={JUDGE: judge, REFERENCE: reference},
        provenance=Provenance(
            tool="alpaca_eval",
            scorer=judge,
            command=f"bench import alpaca_eval {file.name}",
            started="",
            notes=("the file says neither when nor by which version it was judged",),
        ),
        asked=len(rows),
        items=items_of(rows, (WINS,), str(file), REMEDY),
        aggregates=dict(diversity([one.text("output_2") for one in annotations])),
    )


def _rows(annotations: Sequence[Document]) -> list[Row]:
    digests = [digest_of(one.text("instruction")) for one in annotations]
    return [
        Row(
            id=name,
            digest=digest,
            cluster=digest,
            failure="" if win is not None else UNJUDGED,
            scores={} if win is None else {WIN_RATE: win},
            measures={
                **text_measures(one.text("output_2")),
                REFERENCE_LENGTH: float(len(one.text("output_1"))),
            },
        )
        for one, digest, name, win in zip(
            annotations, digests, named_once(digests), map(_win, annotations), strict=True
        )
    ]


def _win(annotation: Document) -> float | None:
    """0 for the reference, 1 for the model, None where the judge said neither."""
    if annotation.content.get("preference") is None:
        return None
    found = annotation.number("preference")
    preference = DRAW if found == FORMER_DRAW else found
    if not LOW <= preference <= HIGH:
        raise annotation.refuse("preference", "null or a number from 1 to 2")
    return preference - LOW
