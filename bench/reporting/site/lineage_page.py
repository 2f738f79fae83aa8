"""The page of a lineage: every change in it task by task, where it comes from, and who the models
are.

Called by `bench.reporting.site.build`; shown by `templates/lineage.html`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bench.reporting.comparison.comparable import shown as shown_setting
from bench.reporting.comparison.sentences import explanations
from bench.reporting.comparison.values import Change, Contrast, Share, Shift
from bench.reporting.importers.paper import against_paper
from bench.reporting.results.diversity import DIVERSITY
from bench.reporting.results.schema import ModelEntry, Result
from bench.reporting.site.digits import (
    Shown,
    shown_contrast,
    shown_pooled,
    shown_share,
    shown_shift,
)
from bench.reporting.site.figure import Figure
from bench.reporting.site.flips import Flips, flips_of
from bench.reporting.site.frame import Page
from bench.reporting.site.view import View
from bench.types import Json

Difference = tuple[str, str, str]  # what, in the parent, in the child


@dataclass(frozen=True, slots=True)
class Line:
    """A contrast as a line of a table; a wording stands below what it is pooled to."""

    contrast: Contrast
    shown: Shown
    page: str
    task: str
    wording: bool

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know."""
        fragile = (self.contrast.fragile,) if self.contrast.fragile else ()
        return (*fragile, *explanations(self.contrast), *self.contrast.warnings)


@dataclass(frozen=True, slots=True)
class ShareLine:
    """A part of a difference."""

    task: str
    variant: str
    page: str
    share: Share
    shown: Shown


@dataclass(frozen=True, slots=True)
class ShiftLine:
    """A measure of the replies."""

    task: str
    variant: str
    page: str
    shift: Shift
    shown: Shown


@dataclass(frozen=True, slots=True)
class ChangeShown:
    """A change with all that its section shows."""

    change: Change
    id: str
    figures: tuple[Figure, ...]
    lines: tuple[Line, ...]
    others: tuple[Line, ...]
    pooled: Shown | None
    shares: tuple[ShareLine, ...]
    shifts: tuple[ShiftLine, ...]
    flips: tuple[Flips, ...]
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """A row of the lineage."""

    label: str
    id: str
    depth: int
    model: ModelEntry
    result: Result
    tasks: int


def lineage_page(
    view: View, root: int, figures: tuple[Figure, ...], drawn: Mapping[str, tuple[Figure, ...]]
) -> Page:
    """The page of the lineage of `root`; `drawn` holds the figures of each change by its id."""
    values = {
        "label": view.board.labels[root],
        "figures": figures,
        "changes": [
            _change(view, change, drawn.get(view.change_id(change), ()))
            for change in view.changes(root)
        ],
        "members": [_member(view, row) for row in view.members(root)],
        "paper": against_paper(
            result for row in view.members(root) for result in view.board.rows[row].results.values()
        ),
    }
    return Page(view.lineage_page(root), "lineage.html", values)


def _change(view: View, change: Change, figures: tuple[Figure, ...]) -> ChangeShown:
    level = view.board.level
    parts = [one for whole in change.contrasts for one in (whole.variants or (whole,))]
    return ChangeShown(
        change=change,
        id=view.change_id(change),
        figures=figures,
        lines=_lines(view, change.contrasts),
        others=_lines(view, change.others),
        pooled=shown_pooled(change.pooled, level) if change.pooled else None,
        shares=tuple(
            ShareLine(*_place(view, one), share=share, shown=shown_share(share, one.metric, level))
            for one in parts
            for share in (*one.shares, *([one.equal_length] if one.equal_length else []))
        ),
        shifts=tuple(
            ShiftLine(*_place(view, one), shift=shift, shown=shown_shift(shift, level))
            for one in parts
            for shift in (*one.shifts, *_diversity(one))
        ),
        flips=tuple(flips_of(view, change)),
        differences=differences_of(
            _entry(view, change.edge.parent), _entry(view, change.edge.child)
        ),
    )


def _diversity(one: Contrast) -> Iterator[Shift]:
    """How varied all replies of each are: over the items of each as a whole, so no interval."""
    for name in DIVERSITY:
        if name in (one.aggregates or {}):
            child, parent = (one.aggregates or {})[name]
            yield Shift(name, child, parent, child - parent, None, None, one.n_items)


def differences_of(parent: Mapping[str, Json], child: Mapping[str, Json]) -> tuple[Difference, ...]:
    """What is said of parent and child, and not the same of both."""
    keys = dict.fromkeys([*parent, *child])
    told = [(key, shown_setting(parent.get(key)), shown_setting(child.get(key))) for key in keys]
    return tuple(one for one in told if one[1] != one[2])


def _lines(view: View, contrasts: tuple[Contrast, ...]) -> tuple[Line, ...]:
    return tuple(
        Line(
            contrast=one,
            shown=shown_contrast(one),
            page=view.task_page(one.task),
            task=one.task,
            wording=one is not whole,
        )
        for whole in contrasts
        for one in (whole, *whole.variants)
    )


def _place(view: View, contrast: Contrast) -> tuple[str, str, str]:
    """Task, wording and page of a contrast."""
    return contrast.task, contrast.variant, view.task_page(contrast.task)


def _entry(view: View, row: int) -> dict[str, Json]:
    """What is known of a model and of how it was asked, as one flat table."""
    found = view.board.rows[row]
    model, result = found.model, next(iter(found.results.values()))
    return {
        "stage": model.stage,
        "recipe": model.recipe,
        "parameters": model.parameters,
        "licence": model.licence,
        **{f"{link.role} model": f"{link.name} {link.revision}" for link in model.parents},
        **{f"settings: {key}": value for key, value in sorted(result.settings.items())},
        **{f"environment: {key}": v for key, v in sorted(result.provenance.environment.items())},
        "tool": result.provenance.tool,
        "scorer": result.provenance.scorer,
    }


def _member(view: View, row: int) -> Member:
    found = view.board.rows[row]
    return Member(
        label=view.board.labels[row],
        id=f"row-{view.rows[row]}",
        depth=view.board.depths[row],
        model=found.model,
        result=next(iter(found.results.values())),
        tasks=len({task for task, _ in found.results}),
    )
