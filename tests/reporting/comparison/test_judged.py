"""Judgments of planted strength, slot and length: the board finds what was planted, and no more."""

import pytest

from bench.reporting.comparison.board import make_board
from bench.reporting.importers.judgments import read_judgments
from tests.reporting.comparison.made import model, result
from tests.reporting.importers.judgment_rows import STRENGTH, judged_rows, write_lines
from tests.reporting.site.boards import family

EQUAL = {"base": 0.0, "sft": 0.0, "ppo": 0.0}


@pytest.fixture
def judged(tmp_path):
    """judged(rows): what the board says of them."""

    def make(rows):
        path = write_lines(tmp_path / "panel.jsonl", rows)
        (found,) = make_board(read_judgments(path).results).judged
        return found

    return make


def rated(found, name):
    return next(one for one in found.ratings if one.name == name)


def test_the_sft_model_is_the_anchor_and_the_order_is_that_of_strength(judged):
    found = judged(judged_rows(prompts=200))
    assert found.anchor == "sft"
    assert [one.name for one in found.ratings] == ["ppo", "sft", "base"]
    won = rated(found, "ppo").win_rate
    assert won.lo < 1 / (1 + 2.718281828 ** -STRENGTH["ppo"]) < won.hi
    assert [rank.best for rank in found.ranks.ranks] == [1, 2, 3]


def test_a_gain_that_is_length_is_gone_at_equal_length(judged):
    found = judged(judged_rows(prompts=300, length_bonus=2.0, strength=EQUAL))
    won = rated(found, "ppo")
    assert won.win_rate.lo > 0.5
    assert won.controlled.lo < 0.5 < won.controlled.hi


def test_a_bias_for_the_first_slot_is_found_and_does_not_move_the_ratings(judged):
    found = judged(judged_rows(prompts=300, first_bonus=1.0, strength=EQUAL))
    assert found.slot.p_value < 1e-6
    assert found.slot.first_slot.lo > 0.5
    won = rated(found, "ppo").win_rate
    assert won.lo < 0.5 < won.hi


def test_without_a_bias_the_first_slot_wins_like_a_coin(judged):
    assert judged(judged_rows(prompts=300)).slot.p_value > 0.05


@pytest.mark.parametrize(("same_mind", "low", "high"), [(0.0, -0.2, 0.45), (1.0, 0.99, 1.0)])
def test_judges_of_one_mind_agree_and_others_by_chance_and_strength(judged, same_mind, low, high):
    found = judged(judged_rows(judges=("ann", "bob", "cid"), same_mind=same_mind))
    assert low < found.alpha.estimate <= high


@pytest.mark.parametrize(("same_mind", "told"), [(0.0, True), (1.0, False)])
def test_judges_who_agree_no_more_than_by_chance_are_told(judged, same_mind, told):
    rows = judged_rows(judges=("ann", "bob"), strength=EQUAL, same_mind=same_mind)
    warnings = judged(rows).warnings
    assert ("judges may agree by chance alone: others may prefer otherwise" in warnings) == told


def test_of_one_judge_agreement_is_unknown(judged):
    found = judged(judged_rows())
    assert (found.alpha, found.agreement) == (None, None)


def test_a_judge_who_is_loud_widens_the_interval_where_judges_are_a_sample(judged):
    """The fifth judge prefers ppo always; as four judges are no sample, theirs go by prompts."""
    rows = judged_rows(judges=("ann", "bob", "cid", "dan", "eve"), strength=EQUAL)
    loud = [
        {**row, "winner": row["model"]} if row["judge"] == "eve" and row["model"] == "ppo" else row
        for row in rows
    ]

    def width(rows):
        found = next(one for one in judged(rows).matches if one.model == "ppo").win_rate
        return found.hi - found.lo

    few = [row for row in loud if row["judge"] != "ann"]
    assert width(loud) > 2 * width(few)


def test_models_that_nothing_links_have_no_ratings_and_the_pools_are_named(judged):
    rows = judged_rows(prompts=30)
    apart = [
        {**row, "model": "a", "reference": "b", "winner": "a", "first": "", "stage": ""}
        for row in rows[:9]
    ]
    apart = [{**row, "prompt": f"{place}"} for place, row in enumerate(apart)]
    found = judged([*rows, *apart])
    assert found.ratings == ()
    assert "not linked" in found.refused
    assert len(found.matches) == 3


def test_a_board_without_judgments_has_none():
    assert make_board(family()).judged == ()


def lineage_rows(**asked):
    """Judgments of ppo and base against sft, where ppo says that sft is its parent."""
    return [
        {**row, "parent": "sft"} if row["model"] == "ppo" else row for row in judged_rows(**asked)
    ]


def change_of_ppo(tmp_path, rows, first=None):
    """The change of ppo against the row of sft, and the board."""
    results = read_judgments(write_lines(tmp_path / "panel.jsonl", rows)).results
    sft = first or result(model("sft", stage="sft", revision="unstated"), [1.0, 0.0] * 20)
    board = make_board([sft, *results])
    (change,) = [one for one in board.changes if one.child == "ppo"]
    return change, board


def test_judged_against_its_parent_a_model_is_better_by_its_win_rate_less_a_half(tmp_path):
    rows = lineage_rows(prompts=200)
    change, board = change_of_ppo(tmp_path, rows)
    (one,) = change.contrasts
    won = [row["winner"] == "ppo" for row in rows if row["model"] == "ppo"]
    assert one.estimate == pytest.approx(sum(won) / len(won) - 0.5)
    assert (one.parent_mean, one.verdict, one.n_items) == (0.5, "better", 200)
    assert one.equal_length is not None  # lengths of both replies are known
    (match,) = [one for one in board.judged[0].matches if one.model == "ppo"]
    assert (one.lo + 0.5, one.hi + 0.5) == pytest.approx((match.win_rate.lo, match.win_rate.hi))


@pytest.mark.parametrize("winner", ["ppo", "sft"])
def test_who_always_wins_or_loses_is_as_unsure_as_the_win_rate_and_stays_in_its_bounds(
    tmp_path, winner
):
    rows = [{**row, "winner": winner} for row in lineage_rows(prompts=30) if row["model"] == "ppo"]
    change, board = change_of_ppo(tmp_path, rows)
    (one,) = change.contrasts
    (match,) = board.judged[0].matches
    assert (one.lo + 0.5, one.hi + 0.5) == pytest.approx((match.win_rate.lo, match.win_rate.hi))
    assert -0.5 <= one.lo < one.hi <= 0.5


def test_where_no_match_has_a_win_rate_at_equal_length_the_ratings_have_none(judged):
    rows = judged_rows(prompts=12)
    longer = [{**row, "model_characters": 2 * row["reference_characters"]} for row in rows]
    found = judged(longer)
    assert all(match.controlled.estimate is None for match in found.matches)
    assert all(one.controlled is None for one in found.ratings)
    found = judged(judged_rows())
    known = {match.model for match in found.matches if match.controlled.estimate is not None}
    assert known
    for name in STRENGTH.keys() - {"sft"}:
        assert (rated(found, name).controlled is not None) == (name in known)


def test_an_open_judgment_is_missing_on_both_sides(tmp_path):
    rows = lineage_rows(prompts=60)
    place = next(at for at, row in enumerate(rows) if row["model"] == "ppo")
    rows[place] = {**rows[place], "winner": None}
    (one,) = change_of_ppo(tmp_path, rows)[0].contrasts
    assert (one.n_items, one.n_missing) == (59, 1)


def test_a_reference_that_is_not_the_parent_stands_for_nothing(tmp_path):
    rows = [{**row, "reference": "human"} for row in lineage_rows() if row["model"] == "ppo"]
    rows = [{**row, "winner": "ppo", "first": "ppo"} for row in rows]
    (one,) = change_of_ppo(tmp_path, rows)[0].contrasts
    assert one.estimate is None


def split_rows():
    """Three of five judges always prefer ppo, two never do; base is as sft."""
    judges = ("ann", "bob", "cid", "dan", "eve")
    return [
        {**row, "winner": "ppo" if row["judge"] in judges[:3] else "sft"}
        if row["model"] == "ppo"
        else row
        for row in lineage_rows(prompts=40, judges=judges, strength=EQUAL)
    ]


def test_a_change_that_five_judges_disagree_on_is_as_unsure_as_its_win_rate(tmp_path):
    change, board = change_of_ppo(tmp_path, split_rows())
    (one,) = change.contrasts
    (match,) = [one for one in board.judged[0].matches if one.model == "ppo"]
    assert one.estimate == pytest.approx(0.1)
    assert one.se == pytest.approx(match.win_rate.se)
    assert (one.verdict, one.n_clusters) == ("undetermined", 5)


def test_models_that_five_judged_are_ranked_by_their_judgments_alone(tmp_path):
    """Ranks of means know the error by prompt, not that by judge."""
    third = [
        {**row, "model": "dpo", "winner": "dpo" if row["winner"] == "base" else row["winner"],
         "first": ""}
        for row in split_rows() if row["model"] == "base"
    ]  # fmt: skip
    _, board = change_of_ppo(tmp_path, [*split_rows(), *third])
    wording = ("panel", "against sft")
    assert sum(wording in row.results for row in board.rows) == 3
    assert wording not in board.ranks
    assert wording not in board.winners
    assert board.judged[0].ranks is not None


@pytest.mark.parametrize("judges", [("ann",), ("ann", "bob", "cid", "dan", "eve")])
def test_a_win_rate_has_one_interval_wherever_it_stands(tmp_path, judges):
    rows = lineage_rows(prompts=40, judges=judges)
    _, board = change_of_ppo(tmp_path, rows)
    (match,) = [one for one in board.judged[0].matches if one.model == "ppo"]
    (score,) = [
        one
        for one in board.scores
        if one.headline and board.labels[one.row] == "ppo" and one.task == "panel"
    ]
    assert (score.lo, score.hi) == (match.win_rate.lo, match.win_rate.hi)
