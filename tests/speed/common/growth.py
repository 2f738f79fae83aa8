"""How the time of scoring grows with rows, choices, shots and the length of prompts.

Each chart of the page has seconds against one of them; all else stays as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from bench.evaluation.plan import Plan
from bench.models.hf import HuggingFace
from bench.reporting.linechart import lines_svg, make_series
from bench.types import Request
from tests.speed.common.engine import answered, with_requests
from tests.speed.common.report import rounded
from tests.speed.common.workloads import Place, plans_of, requests_of, scaled, workload_of

ROWS = (16, 32, 64, 128)
CHOICES, CHOICE_ROWS = (2, 4, 8, 16), 24
SHOTS, SHOT_ROWS = (0, 2, 4, 8), 16
CHARACTERS, LENGTH_ROWS = (250, 1000, 4000), 8  # of prompts that share nothing
PAGE = """\
<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Time of scoring</title>
<style>
body {{ max-width: 60rem; margin: 2rem auto; font: 1rem system-ui, sans-serif; }}
main {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); gap: 1.5rem; }}
figure {{ margin: 0; }}
path {{ stroke: #0072b2; fill: none; }}
.axis {{ stroke: #888; }} .raw {{ stroke-width: 5; stroke-linecap: round; }}
.label {{ font: 11px system-ui, sans-serif; fill: #555; }}
</style>
<h1>Time of scoring</h1>
<p>Seconds against what grows; a step is one more of it. SmolLM2-135M-Instruct, {dtype}.</p>
<main>
{figures}
</main>
</html>
"""


@dataclass(frozen=True, slots=True)
class Growth:
    """Seconds [n] for each size [n] of what grows."""

    name: str
    sizes: tuple[int, ...]
    seconds: tuple[float, ...]

    def numbers(self) -> dict[str, float]:
        """For the report: seconds by size."""
        pairs = zip(self.sizes, self.seconds, strict=True)
        return {str(size): rounded(taken) for size, taken in pairs}


def growths(model: HuggingFace, place: Place, scale: float) -> list[Growth]:
    """All that is measured, with so many times the rows."""
    return [
        _by_rows(model, place, [scaled(rows, scale) for rows in ROWS]),
        _by_choices(model, place, scaled(CHOICE_ROWS, scale)),
        _by_shots(model, place, "fixed", scaled(SHOT_ROWS, scale)),
        _by_shots(model, place, "per_example", scaled(SHOT_ROWS, scale)),
        _by_length(model, place, scaled(LENGTH_ROWS, scale)),
    ]


def write_page(path: Path, found: Sequence[Growth], dtype: str) -> None:
    """A chart for each."""
    figures = []
    for growth in found:
        points = list(zip(growth.sizes, growth.seconds, strict=True))
        chart = lines_svg([make_series(growth.name, points)])
        figures.append(f"<figure><figcaption>{growth.name}</figcaption>{chart}</figure>")
    path.write_text(PAGE.format(dtype=dtype, figures="\n".join(figures)))
    print(f"{path.name} is written")


def _by_rows(model: HuggingFace, place: Place, counts: Sequence[int]) -> Growth:
    plan = _plan(model, place, "arc", max(counts))
    seconds = [_seconds(model, replace(plan, asks=plan.asks[:rows])) for rows in counts]
    return Growth("rows", tuple(counts), tuple(seconds))


def _by_choices(model: HuggingFace, place: Place, rows: int) -> Growth:
    """The choices of a row are drawn from those of all rows, so that more of them are as long on
    average and have as little in common as few."""
    plan = _plan(model, place, "arc", rows + max(CHOICES))
    asked = requests_of([plan])
    pool = list(dict.fromkeys(choice for request in asked for choice in request.continuations))
    drawn = [Random(row).sample(pool, max(CHOICES)) for row in range(rows)]
    seconds = []
    for count in CHOICES:
        requests = [
            replace(one, continuations=tuple(own[:count]))
            for one, own in zip(asked[:rows], drawn, strict=True)
        ]
        seconds.append(_seconds(model, with_requests(plan, requests)))
    return Growth(f"choices, {rows} rows", CHOICES, tuple(seconds))


def _by_shots(model: HuggingFace, place: Place, choice: str, rows: int) -> Growth:
    workload = replace(workload_of("arc"), shot_choice=choice)
    plans = [plans_of(replace(workload, shots=shots), place, rows, model) for shots in SHOTS]
    seconds = [_seconds(model, plan) for (plan,) in plans]
    drawn = "the same" if choice == "fixed" else "drawn per row"
    return Growth(f"shots, {drawn}, {rows} rows", SHOTS, tuple(seconds))


def _by_length(model: HuggingFace, place: Place, rows: int) -> Growth:
    """Prompts of texts that are to be summarized, one behind the other, cut to their first so many
    characters; what counts are their tokens, on average."""
    plan = _plan(model, place, "xsum", 8 * rows)
    texts = [request.prompt for request in requests_of([plan])]
    joined = [f"{row} " + " ".join(texts[row::rows]) for row in range(rows)]
    sizes, seconds = [], []
    for characters in CHARACTERS:
        requests = [Request(text[:characters], (" yes", " no")) for text in joined]
        tokens = [len(item.prompt) for item in model.encode(requests)]
        sizes.append(round(sum(tokens) / rows))
        seconds.append(_seconds(model, with_requests(plan, requests)))
    return Growth(f"tokens of a prompt, {rows} rows", tuple(sizes), tuple(seconds))


def _seconds(model: HuggingFace, plan: Plan) -> float:
    return answered(model, [plan])[0]


def _plan(model: HuggingFace, place: Place, name: str, rows: int) -> Plan:
    (plan,) = plans_of(workload_of(name), place, rows, model)
    return plan
