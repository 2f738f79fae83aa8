"""A push against a stand-in of the Hub, by the real client: what arrives, and what is refused."""

import huggingface_hub.constants
import pytest
from huggingface_hub.utils import close_session

from bench.errors import RunError
from bench.reporting.hub.publish import fetch_card, plan_upload, push, shown
from bench.reporting.hub.space import write_space
from bench.reporting.hub.target import Target
from tests.reporting.hub.stand_in import COMMIT, GOOD, serve

SPACE = Target("space", "org/board")
DATASET = Target("dataset", "org/results")
MODEL = Target("model", "org/small")


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """The stand-in, as the environment of a user who is logged in names it."""
    close_session()
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HF_TOKEN", GOOD)
    with serve() as state:
        monkeypatch.setenv("HF_ENDPOINT", state.address)
        yield state
    close_session()


@pytest.fixture
def folder(tmp_path):
    """Two files, one of them in a folder."""
    (tmp_path / "out/data").mkdir(parents=True)
    (tmp_path / "out/index.html").write_text("<p>board</p>")
    (tmp_path / "out/data/topic.json").write_text("{}")
    return tmp_path / "out"


def test_a_plan_lists_every_file_with_its_size(folder):
    (folder / ".git").mkdir()
    (folder / ".git/config").write_text("secret")
    (folder / ".eval_results").mkdir()
    (folder / ".eval_results/a.yaml").write_text("[]")
    assert shown(plan_upload(DATASET, folder)).splitlines() == [
        "hf://datasets/org/results: 3 files, 16 bytes",
        "  .eval_results/a.yaml  2 bytes",
        "  data/topic.json  2 bytes",
        "  index.html  12 bytes",
    ]


def test_nothing_is_no_plan(tmp_path):
    with pytest.raises(RunError, match="holds no files to push"):
        plan_upload(DATASET, tmp_path)


def test_a_folder_that_is_no_space_is_not_pushed_as_one(folder):
    with pytest.raises(RunError, match="static Space"):
        plan_upload(SPACE, folder)


def test_a_plan_asks_nothing_of_the_hub(hub, folder):
    plan_upload(DATASET, folder)
    assert hub.asked == []


def test_a_dataset_is_made_and_holds_the_files(hub, folder):
    told = push(plan_upload(DATASET, folder), "Publish results")
    assert told == f"{hub.address}/datasets/org/results/commit/{COMMIT}"
    assert hub.repos == {
        ("dataset", "org/results"): {"index.html": b"<p>board</p>", "data/topic.json": b"{}"}
    }
    assert hub.messages == ["Publish results"]


def test_a_space_is_made_static(hub, folder, tmp_path):
    push(plan_upload(SPACE, write_space(folder, tmp_path / "space")), "Publish the board")
    assert hub.sdk == {"org/board": "static"}
    assert set(hub.repos["space", "org/board"]) == {"README.md", "index.html", "data/topic.json"}


def test_a_push_again_changes_nothing(hub, folder):
    upload = plan_upload(DATASET, folder)
    push(upload, "one")
    push(upload, "two")
    assert hub.messages == ["one"]


@pytest.mark.parametrize("mirror", [False, True])
def test_only_a_mirror_deletes_what_is_not_in_the_folder(hub, folder, mirror):
    hub.repos["dataset", "org/results"] = {"old.json": b"{}", ".gitattributes": b"*.bin"}
    push(plan_upload(DATASET, folder), "Publish", mirror=mirror)
    files = set(hub.repos["dataset", "org/results"])
    assert {"index.html", "data/topic.json", ".gitattributes"} <= files
    assert ("old.json" in files) is not mirror


def test_a_pull_request_leaves_the_repository_to_its_owner(hub, folder):
    hub.repos["model", "foreign/small"] = {"README.md": b"theirs"}
    target = Target("model", "foreign/small")
    told = push(plan_upload(target, folder), "Add scores", pull_request=True)
    assert told == f"{hub.address}/foreign/small/discussions/1"
    assert hub.repos["model", "foreign/small"] == {"README.md": b"theirs"}
    assert [repo for repo, _ in hub.pull_requests] == ["foreign/small"]
    assert "POST /api/repos/create" not in hub.asked


@pytest.mark.parametrize(
    ("target", "told", "remedy"),
    [
        (Target("dataset", "foreign/results"), "may not write there", "--pull-request"),
        (Target("model", "org/nowhere"), "no such repository", "has to be on the Hub"),
    ],
)
def test_a_repository_that_is_not_ours_or_not_there_is_an_error(hub, folder, target, told, remedy):
    with pytest.raises(RunError) as caught:
        push(plan_upload(target, folder), "Publish")
    assert str(target) in caught.value.cause
    assert told in caught.value.cause
    assert remedy in caught.value.remedy
    assert hub.messages == []


def test_a_token_that_is_not_valid_is_an_error(hub, folder, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_old")
    with pytest.raises(RunError, match="the token is not valid") as caught:
        push(plan_upload(DATASET, folder), "Publish")
    assert "hf auth login" in caught.value.remedy
    assert hub.repos == {}


def test_no_token_is_an_error(hub, folder, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(RunError, match="no token") as caught:
        push(plan_upload(DATASET, folder), "Publish")
    assert "HF_TOKEN" in caught.value.remedy
    assert hub.asked == []


def test_what_the_hub_refuses_is_told_in_its_words(hub, folder):
    hub.broken = "/commit/"
    with pytest.raises(RunError, match="the stand-in was told to refuse this"):
        push(plan_upload(DATASET, folder), "Publish")
    assert hub.repos["dataset", "org/results"] == {}


def test_no_network_is_an_error(hub, folder, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(RunError, match="not in reach") as caught:
        push(plan_upload(DATASET, folder), "Publish")
    assert "HF_ENDPOINT" in caught.value.remedy


def test_the_card_of_a_model_is_fetched(hub):
    hub.repos["model", "org/small"] = {"README.md": "# Klein, größer\n".encode()}
    assert fetch_card(MODEL) == "# Klein, größer\n"


def test_a_model_without_a_card_has_an_empty_one(hub):
    hub.repos["model", "org/small"] = {}
    assert fetch_card(MODEL) == ""


def test_the_card_of_a_model_that_is_not_there_is_an_error(hub):
    with pytest.raises(RunError, match="no such repository"):
        fetch_card(MODEL)


def test_a_card_is_not_taken_for_missing_where_the_hub_is_not_in_reach(hub, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(RunError, match="not in reach"):
        fetch_card(MODEL)
