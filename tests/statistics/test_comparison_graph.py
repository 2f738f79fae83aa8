"""Who met and who beat whom: pools, strata and cycles, against networkx."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.statistics.comparison_graph import majority_cycles, pools, strata, unbeaten

MODELS = 6
meetings = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 5), st.sampled_from([0.0, 0.5, 1.0])).filter(
        lambda row: row[0] != row[1]
    ),
    min_size=1,
    max_size=20,
)


def columns(rows):
    first, second, outcomes = zip(*rows, strict=True)
    return np.array(first), np.array(second), np.array(outcomes, float)


def sets(groups):
    return sorted(tuple(sorted(group)) for group in groups)


def members(labels):
    return sets(np.flatnonzero(labels == label).tolist() for label in set(labels.tolist()))


@settings(max_examples=50)
@given(meetings)
def test_pools_are_the_connected_components(rows):
    networkx = pytest.importorskip("networkx")
    graph = networkx.Graph()
    graph.add_nodes_from(range(MODELS))
    graph.add_edges_from(row[:2] for row in rows)
    first, second, _ = columns(rows)
    assert sets(pools(first, second, MODELS)) == sets(networkx.connected_components(graph))


@settings(max_examples=50)
@given(meetings, st.booleans())
def test_strata_are_linked_by_wins_both_ways(rows, ties):
    networkx = pytest.importorskip("networkx")
    graph = networkx.DiGraph()
    graph.add_nodes_from(range(MODELS))
    for i, j, outcome in rows:
        if outcome == 1 or (ties and outcome == 0.5):
            graph.add_edge(i, j)
        if outcome == 0 or (ties and outcome == 0.5):
            graph.add_edge(j, i)
    found = strata(*columns(rows), MODELS, ties)
    assert members(found) == sets(networkx.strongly_connected_components(graph))
    tops = [
        group
        for group in networkx.strongly_connected_components(graph)
        if not any(graph.has_edge(one, other) for other in group for one in set(graph) - group)
    ]
    assert sets(unbeaten(*columns(rows), found, ties)) == sets(tops)  # fmt: skip


@settings(max_examples=50)
@given(meetings)
def test_a_cycle_is_named_where_there_is_one_and_each_beats_the_next(rows):
    networkx = pytest.importorskip("networkx")
    lead = np.zeros((MODELS, MODELS))
    for i, j, outcome in rows:
        lead[i, j] += outcome - 0.5
        lead[j, i] -= outcome - 0.5
    graph = networkx.from_numpy_array((lead > 0).astype(int), create_using=networkx.DiGraph)
    first, second, outcomes = columns(rows)
    found = majority_cycles(first, second, outcomes, np.ones(len(rows)), MODELS)
    expected = [group for group in networkx.strongly_connected_components(graph) if len(group) > 1]
    assert len(found) == len(expected)
    for cycle in found:
        edges = list(zip(cycle.models, (*cycle.models[1:], cycle.models[0]), strict=True))
        assert len(set(cycle.models)) == len(cycle.models) >= 3
        assert all(lead[edge] > 0 for edge in edges)
        assert cycle.wins - cycle.losses == 2 * min(lead[edge] for edge in edges)
