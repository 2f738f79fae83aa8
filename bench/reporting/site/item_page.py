"""The page of an item: what was asked, what every row answered, and what that was worth.

Called by `bench.reporting.site.build` for items that have texts; shown by `templates/item.html`.
"""

from dataclasses import dataclass

from markupsafe import Markup

from bench.reporting.comparison.board import Asked
from bench.reporting.results.schema import Metric, Result
from bench.reporting.site.digits import shown_size
from bench.reporting.site.frame import Page
from bench.reporting.site.grid import share_of
from bench.reporting.site.texts import Output, Prompt
from bench.reporting.site.view import View
from bench.reporting.site.words import Text, compared, is_long, readable

Verdict = str  # "right", "wrong", "failed", "missing", or a number


@dataclass(frozen=True, slots=True)
class Answer:
    """One row's answer; `change` is the text against the parent's, None where there is no parent's
    or both are the same."""

    row: int
    label: str
    stage: str
    page: str
    sample: int
    verdict: Verdict
    reason: str
    scores: tuple[tuple[str, str], ...]
    measures: tuple[tuple[str, float], ...]
    text: Text | None
    output: Output | None
    parent: str
    change: Markup | None
    change_is_cut: bool
    result: Result


@dataclass(frozen=True, slots=True)
class Wording:
    """The item in one wording; `digests` has more than one where rows were asked another item."""

    variant: str
    prompt: Text | None
    right: tuple[str, ...]
    digests: tuple[str, ...]
    answers: tuple[Answer, ...]


def item_page(view: View, task: Asked, item: str) -> Page:
    """The page of one item in all its wordings."""
    found = [_wording(view, task, variant, item) for variant in task.variants]
    values = {
        "task": task,
        "item": item,
        "wordings": [wording for wording in found if wording.answers],
        "task_page": view.task_page(task.name),
        "items_id": f"items{view.wording_id(task.variants[0])}",
    }
    return Page(view.items.pages[task.name, item], "item.html", values)


def _wording(view: View, task: Asked, variant: str, item: str) -> Wording:
    answers: list[Answer] = []
    digests: dict[str, None] = {}
    for row in range(len(view.board.rows)):
        result = view.result(row, task.name, variant)
        if result is None:
            continue
        for place in view.places(row, task.name, variant).get(item, ()):
            digests.setdefault(result.items.digests[place])
            answers.append(_answer(view, row, result, place))
    prompt = _prompt(view, task.name, variant, item, list(digests))
    return Wording(
        variant=variant,
        prompt=readable(prompt.text) if prompt else None,
        right=prompt.answers if prompt else (),
        digests=tuple(digests),
        answers=tuple(answers),
    )


def _prompt(view: View, task: str, variant: str, item: str, digests: list[str]) -> Prompt | None:
    """The prompt of the item as it was asked; none where the task has another item of that id."""
    found = (view.texts.prompts.get((task, variant, item, digest)) for digest in digests)
    return next((prompt for prompt in found if prompt), None)


def _answer(view: View, row: int, result: Result, place: int) -> Answer:
    items, metric = result.items, result.task.metrics[0]
    item, sample = items.ids[place], items.samples[place]
    output = _output(view, row, result, item, sample)
    parent = view.board.parents[row]
    before = None if parent is None else _output(view, parent, result, item, sample)
    ours, theirs = _said(output), _said(before)
    differs = ours is not None and theirs is not None and ours != theirs
    return Answer(
        row=row,
        label=view.board.labels[row],
        stage=view.board.rows[row].model.stage,
        page=view.lineage_page(row),
        sample=sample,
        verdict=_verdict(result, place, metric),
        reason=items.failures[place],
        scores=tuple(
            (one.name, shown_size(value, one))
            for one in result.task.metrics
            if (value := _at(items.scores.get(one.name), place)) is not None
        ),
        measures=tuple(
            (name, value)
            for name, column in items.measures.items()
            if (value := column[place]) is not None
        ),
        text=readable(ours) if ours is not None else None,
        output=output,
        parent="" if parent is None else view.board.labels[parent],
        change=compared(theirs or "", ours or "") if differs else None,
        change_is_cut=differs and is_long(ours or "", theirs or ""),
        result=result,
    )


def _output(view: View, row: int, result: Result, item: str, sample: int) -> Output | None:
    key = row, result.task.name, result.task.variant, item, sample
    return view.texts.outputs.get(key)


def _said(output: Output | None) -> str | None:
    """What the model wrote, or the choice that it made."""
    if output is None:
        return None
    return output.text if output.text is not None else output.prediction


def _verdict(result: Result, place: int, metric: Metric) -> Verdict:
    """Right, wrong, failed and missing are four words; in between there is a number."""
    if result.items.failures[place]:
        return "failed"
    score = _at(result.items.scores.get(metric.name), place)
    if score is None:
        return "missing"
    share = share_of(score, metric)
    if share in (0.0, 1.0):
        return "right" if share else "wrong"
    return shown_size(score, metric)


def _at(column: tuple[float | None, ...] | None, place: int) -> float | None:
    return column[place] if column else None
