"""Whatever the values, a chart is well formed, stays in its frame and never says nan."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from bench.reporting.comparison.lineage import Edge
from bench.reporting.comparison.values import VERDICTS, Change
from bench.reporting.results.schema import Metric
from bench.reporting.site.charts.chart import NARROW, WIDE, Dot
from bench.reporting.site.charts.flips import Flip, Flips, flips_chart
from bench.reporting.site.charts.forest import forest_chart
from bench.reporting.site.charts.length import Lengthy, length_chart
from bench.reporting.site.charts.lineage import lineage_chart
from bench.reporting.site.charts.lineage_nodes import Node
from bench.reporting.site.charts.pareto import Cost, Costly, pareto_chart
from bench.reporting.site.charts.sizes import Reference, Series, Sized, sizes_chart
from bench.reporting.site.charts.slope import slope_chart
from bench.reporting.site.charts.slope_panel import Line, Panel, Stop
from bench.reporting.site.charts.variants import variants_chart
from bench.types import Stage
from tests.reporting.site.charts.samples import CHANGE, CONTRAST, POOLED, assert_sound

numbers = st.none() | st.floats(-1.5, 1.5) | st.floats()
names = st.text(max_size=12) | st.text(min_size=190, max_size=200)
stages = st.sampled_from([*Stage.__args__, "", "merge"])
widths = st.sampled_from([WIDE, NARROW])
links = st.none() | st.just(lambda name: name)
metrics = st.builds(
    Metric,
    name=names,
    lower_is_better=st.booleans(),
    low=st.sampled_from([0.0, 1.0, float("-inf")]),
    high=st.sampled_from([1.0, 7.0, float("inf")]),
    chance=st.just(0.0),
    rope=st.floats(0, 10),
    margin=st.just(0.02),
)
dots = st.builds(Dot, numbers, numbers, numbers)
contrasts = st.builds(
    replace,
    st.just(CONTRAST),
    task=names,
    variant=names,
    kind=st.sampled_from(["qa", "code"]) | names,
    metric=metrics,
    estimate=numbers,
    lo=numbers,
    hi=numbers,
    mde=numbers,
    p_adjusted=st.none() | st.floats(0, 1),
    verdict=st.sampled_from(VERDICTS),
    n_items=st.integers(0, 10**6),
    n_clusters=st.integers(0, 10**6),
    fragile=names,
)
many = settings(max_examples=40)


def lists(values, most=5):
    return st.lists(values, max_size=most).map(tuple)


@many
@given(lists(contrasts), st.none() | st.just(POOLED), names, links, widths)
def test_forest(contrasts, pooled, name, href, width):
    change = replace(CHANGE, child=name, contrasts=contrasts, pooled=pooled)
    assert_sound(forest_chart(change, "u", href, width).svg)


@many
@given(contrasts, lists(contrasts), widths)
def test_variants(whole, variants, width):
    assert_sound(variants_chart(replace(whole, variants=variants), "u", None, width).svg)


@st.composite
def panels(draw):
    stops = draw(st.lists(st.builds(Stop, names, stages), min_size=1, max_size=6))
    lines = draw(st.lists(st.tuples(names, metrics), max_size=4, unique_by=lambda line: line[0]))
    taxes = st.sampled_from([None, "tax", "no tax", "undetermined"])
    size = len(stops)
    return Panel(
        draw(names),
        tuple(stops),
        tuple(
            Line(
                name,
                "qa",
                metric,
                tuple(draw(st.lists(dots, min_size=size, max_size=size))),
                tuple(draw(st.lists(taxes, min_size=size, max_size=size))),
            )
            for name, metric in lines
        ),
    )


@many
@given(lists(panels(), 3), links, widths)
def test_slope(panels, href, width):
    assert_sound(slope_chart(panels, "u", href, width).svg)


@many
@given(
    lists(
        st.builds(
            Series, stages, names, lists(st.builds(Sized, names, st.none() | st.integers(), dots))
        )
    ),
    metrics,
    st.none() | st.builds(Reference, st.floats(), names),
    links,
    widths,
)
def test_sizes(series, metric, reference, href, width):
    assert_sound(sizes_chart(series, metric, "u", href, width, reference).svg)


@many
@given(
    lists(
        st.builds(Lengthy, names, stages, dots, dots, st.none() | st.integers(-1, 6)),
    ),
    metrics,
    links,
    widths,
)
def test_length(models, metric, href, width):
    assert_sound(length_chart(models, metric, "u", href, width).svg)


@many
@given(
    lists(st.builds(Costly, names, stages, dots, dots)),
    st.builds(Cost, names, st.booleans()),
    links,
    widths,
)
def test_pareto(models, cost, href, width):
    assert_sound(pareto_chart(models, cost, "u", href, width).svg)


@many
@given(
    st.builds(Flips, names, names, metrics, lists(st.builds(Flip, names, numbers, numbers), 30)),
    links,
    widths,
    st.integers(1, 40),
)
def test_flips(flips, href, width, most):
    assert_sound(flips_chart(flips, "u", href, width, most).svg)


@many
@given(
    st.lists(st.tuples(names, stages, names, st.none() | st.integers(0, 9)), max_size=9),
    lists(contrasts, 3),
    links,
    widths,
)
def test_lineage(rows, contrasts, href, width):
    nodes = [Node(at, *row) for at, row in enumerate(rows)]
    changes = [
        Change(Edge(node.row, node.parent, "parent"), node.name, "parent", contrasts, (), None)
        for node in nodes
        if node.parent is not None
    ]
    assert_sound(lineage_chart(nodes, changes, "u", href, width, lambda change: change.child).svg)
