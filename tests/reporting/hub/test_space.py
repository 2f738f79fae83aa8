"""A static Space: the site as it is, and a README.md that the Hub can read."""

import pytest
from huggingface_hub import RepoCard

from bench.errors import RunError, UsageError
from bench.reporting.hub.space import is_space, write_space


@pytest.fixture
def site(tmp_path):
    """A page with a file beside it."""
    (tmp_path / "site/data").mkdir(parents=True)
    (tmp_path / "site/index.html").write_text("<p>board</p>")
    (tmp_path / "site/data/topic.json").write_text("{}")
    return tmp_path / "site"


def files(folder):
    """The paths of all files below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_front_matter_says_how_to_serve_the_site(site, tmp_path):
    out = write_space(site, tmp_path / "space", "RLHF: a board", "What RLHF did, with intervals")
    card = RepoCard((out / "README.md").read_text("utf-8"))
    told = card.data.to_dict()
    assert (told["title"], told["sdk"], told["app_file"]) == (
        "RLHF: a board",
        "static",
        "index.html",
    )
    assert told["short_description"] == "What RLHF did, with intervals"
    assert is_space(out)


def test_the_site_is_copied_as_it_is(site, tmp_path):
    out = write_space(site, tmp_path / "space")
    assert files(out) == {"README.md", "index.html", "data/topic.json"}
    assert (out / "index.html").read_bytes() == (site / "index.html").read_bytes()
    assert files(site) == {"index.html", "data/topic.json"}


def test_of_an_earlier_space_nothing_stays(site, tmp_path):
    out = write_space(site, tmp_path / "space")
    (site / "data/topic.json").unlink()
    assert files(write_space(site, out)) == {"README.md", "index.html"}


def test_a_folder_that_is_no_space_is_not_overwritten(site, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/README.md").write_text("# Mine")
    with pytest.raises(UsageError, match="is no Space"):
        write_space(site, tmp_path / "mine")
    assert (tmp_path / "mine/README.md").read_text() == "# Mine"


@pytest.mark.parametrize("out", ["site", "site/space", "."])
def test_a_space_lies_beside_its_site(site, tmp_path, out):
    with pytest.raises(UsageError, match="beside"):
        write_space(site, tmp_path / out)


def test_a_site_without_a_page_is_an_error(tmp_path):
    (tmp_path / "site").mkdir()
    with pytest.raises(RunError, match=r"holds no index\.html"):
        write_space(tmp_path / "site", tmp_path / "space")


def test_a_description_that_the_hub_would_refuse_is_an_error(site, tmp_path):
    with pytest.raises(UsageError, match="found 61 characters, the Hub takes 60"):
        write_space(site, tmp_path / "space", description="x" * 61)
