"""Who met and who beat whom: what decides whether ratings exist, and whether they mean anything.

Called by `preference` before it fits. Models are places 0..m-1; outcomes are 1 (first better),
0 (second better) and 0.5 (tie).

>>> first, second = np.array([0, 1, 2]), np.array([1, 2, 0])
>>> [cycle.models for cycle in majority_cycles(first, second, np.ones(3), np.ones(3), 3)]
[(0, 1, 2)]
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csgraph, csr_array

from bench.statistics.covariance import Array

Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Cycle:
    """Each of `models` beat the next more often than not, and the last beat the first.

    `wins` and `losses` (weights of decisive judgments) are those of its closest pair.
    """

    models: tuple[int, ...]
    wins: float
    losses: float


def pools(first: Places, second: Places, models: int) -> list[list[int]]:
    """Models that are linked by judgments, pool by pool, each sorted; one pool when all are."""
    return _members(_components(first, second, models, "weak"))


def strata(first: Places, second: Places, outcomes: Array, models: int, ties: bool) -> Places:
    """For each model the number of its stratum: within one, all are linked by wins both ways.

    Bradley-Terry ratings are finite only where there is one stratum (Ford 1957, American
    Mathematical Monthly 64:28). `ties` says whether a tie counts as a win of both.
    """
    return _components(*_wins(first, second, outcomes, ties), models, "strong")


def unbeaten(
    first: Places, second: Places, outcomes: Array, stratum: Places, ties: bool
) -> list[list[int]]:
    """The strata whose members never lost to a model of another."""
    winners, losers = _wins(first, second, outcomes, ties)
    across = stratum[winners] != stratum[losers]
    beaten = set(stratum[losers[across]].tolist())
    return [group for group in _members(stratum) if int(stratum[group[0]]) not in beaten]


def majority_cycles(
    first: Places, second: Places, outcomes: Array, weights: Array, models: int
) -> list[Cycle]:
    """A shortest cycle through the lowest model of each set of models that beat each other in turn.

    Two models are compared by their own judgments alone; ties count for neither.
    """
    wins = np.zeros((models, models))
    np.add.at(wins, (first, second), weights * (outcomes > 0.5))
    np.add.at(wins, (second, first), weights * (outcomes < 0.5))
    beats = wins > wins.T
    winners, losers = np.nonzero(beats)
    stratum = _components(winners, losers, models, "strong")
    return [_cycle(group, beats, wins) for group in _members(stratum) if len(group) > 1]


def _cycle(group: list[int], beats: NDArray[np.bool_], wins: Array) -> Cycle:
    inside = beats[np.ix_(group, group)]
    steps, before = csgraph.shortest_path(
        csr_array(inside.astype(float)), unweighted=True, return_predecessors=True
    )
    last = min(np.flatnonzero(inside[:, 0]).tolist(), key=lambda place: float(steps[0, place]))
    path = [last]
    while path[-1] != 0:
        path.append(int(before[0, path[-1]]))
    models = [group[place] for place in reversed(path)]
    edges = list(zip(models, [*models[1:], models[0]], strict=True))
    winner, loser = min(edges, key=lambda edge: float(wins[edge] - wins[edge[::-1]]))
    return Cycle(tuple(models), float(wins[winner, loser]), float(wins[loser, winner]))


def _wins(first: Places, second: Places, outcomes: Array, ties: bool) -> tuple[Places, Places]:
    """Winners and losers, a tie as a win of both where `ties` says so."""
    won, lost = outcomes > 0.5, outcomes < 0.5
    if ties:
        won, lost = ~lost, ~won
    return (
        np.concatenate([first[won], second[lost]]),
        np.concatenate([second[won], first[lost]]),
    )


def _components(
    start: Places, end: Places, models: int, connection: Literal["weak", "strong"]
) -> Places:
    graph = csr_array((np.ones(len(start)), (start, end)), shape=(models, models))
    labels: Places = csgraph.connected_components(graph, connection=connection)[1]
    return labels


def _members(labels: Places) -> list[list[int]]:
    """Places by label, in the order of their first place."""
    groups: dict[int, list[int]] = {}
    for place, label in enumerate(labels.tolist()):
        groups.setdefault(label, []).append(place)
    return list(groups.values())
