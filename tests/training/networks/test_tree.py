"""Trees: what prompts begin with stands once a row, and every document can be read off it."""

from hypothesis import given
from hypothesis import strategies as st

from bench.training.networks.tree import fill_rows, write_row

IDS = st.lists(st.integers(1, 3), min_size=1, max_size=6).map(tuple)
DOCUMENTS = st.lists(st.tuples(IDS, st.lists(IDS, max_size=3).map(tuple)), min_size=1, max_size=8)


def whole_row(documents):
    return write_row(documents, range(len(documents)))


@given(DOCUMENTS)
def test_every_document_stands_where_its_row_says_with_the_places_of_a_row_of_its_own(documents):
    row = whole_row(documents)
    for number, (prompt, replies) in enumerate(documents):
        where = row.where[number]
        assert tuple(row.ids[place] for place in where) == sum(replies, prompt)
        places = [*range(len(prompt))]
        places += [len(prompt) + place for reply in replies for place in range(len(reply))]
        assert [row.places[position] for position in where] == places


@given(DOCUMENTS)
def test_a_reply_sees_its_prompt_and_itself_and_nothing_else(documents):
    row = whole_row(documents)
    owner = [number for number, piece in enumerate(row.pieces) for _ in range(piece.length)]
    for number, (prompt, replies) in enumerate(documents):
        where = row.where[number]
        start = len(prompt)
        for reply in replies:
            last = where[start + len(reply) - 1]
            piece = row.pieces[owner[last]]
            before = [row.pieces[other] for other in piece.after]
            seen = [place for part in before for place in range(part.start, part.stop)]
            seen += range(piece.start, last + 1)
            assert seen == where[: len(prompt)] + where[start : start + len(reply)]
            start += len(reply)


@given(DOCUMENTS)
def test_no_beginning_of_a_prompt_stands_twice(documents):
    row = whole_row(documents)
    beginnings = {prompt[:end] for prompt, _ in documents for end in range(1, len(prompt) + 1)}
    replies = sum(len(reply) for _, replies in documents for reply in replies)
    assert len(row.ids) == len(beginnings) + replies
    assert [piece.start for piece in row.pieces[1:]] == [piece.stop for piece in row.pieces[:-1]]


@given(DOCUMENTS, st.integers(1, 40))
def test_rows_hold_every_document_once_and_are_no_wider_than_asked_unless_one_document_is(
    documents, width
):
    rows = fill_rows(documents, width)
    assert sorted(number for row in rows for number in row) == list(range(len(documents)))
    for chosen in rows:
        assert len(chosen) == 1 or len(write_row(documents, chosen).ids) <= width


def test_a_document_goes_where_it_shares_most():
    one, other = (1, 1, 1, 1, 1), (2, 2, 2, 2)
    documents = [(one, ((3,),)), (other, ((3,),)), (other, ((4,),)), (one, ((4,),))]
    assert fill_rows(documents, width=7) == [[0, 3], [1, 2]]


def test_a_prompt_that_another_one_continues_has_replies_of_its_own():
    row = whole_row([((1, 2, 3), ((8,),)), ((1, 2), ((9,),))])
    assert row.ids == [1, 2, 9, 3, 8]
    assert row.places == [0, 1, 2, 2, 3]
