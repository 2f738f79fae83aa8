"""A Board with what its pages look up: addresses, scores and Results by place, changes by lineage.

Made once by `bench.reporting.site.build` and read by every page.

    view.score(3, "topic", "")     the headline Score of row 3
    view.task_page("topic")        "task/topic.html"
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bench.reporting.comparison.board import Asked, Board
from bench.reporting.comparison.scores import Score
from bench.reporting.comparison.values import Change
from bench.reporting.results.schema import Result
from bench.reporting.site.addresses import slug_of, slugs
from bench.reporting.site.grid import Grid, grid_of
from bench.reporting.site.items import MOST, Chosen, items_of
from bench.reporting.site.texts import Texts
from bench.statistics.ranks import Rank

NO_TEXTS = Texts()
APART = "~"  # between parts of addresses, none of which holds it
Key = tuple[int, str, str]  # row, task, variant


@dataclass(frozen=True, slots=True)
class View:
    """`rows` and `tasks` are parts of addresses; `headlines` the headline Scores by row, task and
    variant, `others` the rest; `grids` hold the items of each task and variant; `damaged` are runs
    that are not on the board."""

    board: Board
    title: str
    rows: tuple[str, ...]
    tasks: Mapping[str, str]
    headlines: Mapping[Key, Score]
    others: Mapping[Key, tuple[Score, ...]]
    grids: Mapping[tuple[str, str], Grid]
    texts: Texts
    items: Chosen
    item_places: Mapping[Key, Mapping[str, list[int]]]
    damaged: tuple[str, ...]

    @property
    def roots(self) -> list[int]:
        """The oldest row of each lineage."""
        return list(dict.fromkeys(self.board.roots))

    def members(self, root: int) -> list[int]:
        """The rows of the lineage of `root`, children behind parents."""
        return [row for row, oldest in enumerate(self.board.roots) if oldest == root]

    def changes(self, root: int) -> list[Change]:
        """The changes within the lineage of `root`."""
        roots = self.board.roots
        return [change for change in self.board.changes if roots[change.edge.child] == root]

    def score(self, row: int, task: str, variant: str) -> Score | None:
        """The headline Score, None where the row was not run."""
        return self.headlines.get((row, task, variant))

    def result(self, row: int, task: str, variant: str) -> Result | None:
        """The Result, None where the row was not run."""
        return self.board.rows[row].results.get((task, variant))

    def places(self, row: int, task: str, variant: str) -> Mapping[str, list[int]]:
        """Where each item stands in the Result of a row: once for each sample."""
        return self.item_places.get((row, task, variant), {})

    def rank(self, row: int, task: str, variant: str) -> Rank | None:
        """The rank set of a row, None where it was not ranked."""
        ranked = self.board.ranked.get((task, variant), ())
        if row not in ranked:
            return None
        return self.board.ranks[task, variant].ranks[ranked.index(row)]

    def asked(self, task: str) -> Asked:
        """The task of that name."""
        return next(one for one in self.board.tasks if one.name == task)

    def task_page(self, task: str) -> str:
        """Where the page of a task lies."""
        return f"task/{self.tasks[task]}.html"

    def lineage_page(self, row: int) -> str:
        """Where the page of the lineage of a row lies."""
        return f"lineage/{self.rows[self.board.roots[row]]}.html"

    def score_id(self, row: int, variant: str) -> str:
        """The place of a score on the page of its task."""
        return f"score-{self.rows[row]}{self.wording_id(variant)}"

    def wording_id(self, variant: str) -> str:
        """What tells the places of one wording from those of another."""
        return f"{APART}{slug_of(variant)}" if variant else ""

    def change_id(self, change: Change) -> str:
        """The place of a change on the page of its lineage."""
        return f"change-{self.ends(change)}"

    def ends(self, change: Change) -> str:
        """What tells a change from all others in names of places and files."""
        return f"{self.rows[change.edge.child]}{APART}{self.rows[change.edge.parent]}"


def view_of(
    board: Board,
    title: str,
    texts: Texts = NO_TEXTS,
    most_items: int = MOST,
    damaged: tuple[str, ...] = (),
) -> View:
    """The View of `board`, with pages for `most_items` items at most."""
    headlines: dict[Key, Score] = {}
    others: dict[Key, list[Score]] = {}
    for score in board.scores:
        key = score.row, score.task, score.variant
        if score.headline:
            headlines[key] = score
        else:
            others.setdefault(key, []).append(score)
    names = [task.name for task in board.tasks]
    tasks = dict(zip(names, slugs(names), strict=True))
    grids = {
        (task.name, variant): grid_of(board.rows, task.name, variant)
        for task in board.tasks
        for variant in task.variants
    }
    items = items_of(list(grids.values()), tasks, texts, most_items)
    return View(
        board=board,
        title=title,
        rows=slugs(board.labels),
        tasks=tasks,
        headlines=headlines,
        others={key: tuple(scores) for key, scores in others.items()},
        grids=grids,
        texts=texts,
        items=items,
        item_places=_item_places(board, items),
        damaged=damaged,
    )


def _item_places(board: Board, items: Chosen) -> dict[Key, dict[str, list[int]]]:
    """Where the items that have pages stand in each Result."""
    found: dict[Key, dict[str, list[int]]] = {}
    for row, of_row in enumerate(board.rows):
        for (task, variant), result in of_row.results.items():
            places = found.setdefault((row, task, variant), {})
            for place, item in enumerate(result.items.ids):
                if (task, item) in items.pages:
                    places.setdefault(item, []).append(place)
    return found
