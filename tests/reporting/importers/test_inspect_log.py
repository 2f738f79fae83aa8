"""Inspect's logs, as .json and as .eval, also where the members are compressed by Zstandard."""

import copy
import json
import struct
import zlib

import pyarrow
import pytest

from bench.errors import RunError
from bench.reporting.importers.inspect_log import read_inspect
from bench.reporting.results.files import save_result
from tests.reporting.importers.inspect_files import inspect_log, write_inspect_zip
from tests.reporting.importers.sources import write_json
from tests.reporting.results.values import faults


@pytest.fixture
def found(tmp_path):
    return read_inspect(write_json(tmp_path / "log.json", inspect_log()))


def changed(**changes):
    """The items of a log whose first sample has some keys changed."""
    log = copy.deepcopy(inspect_log())
    log["samples"][0] |= changes
    return log


def zstandard_zip(path, members):
    """A zip file of method 93, each member in two frames, as large ones are."""
    body, directory = b"", b""
    for name, content in members.items():
        half, codec = len(content) // 2, pyarrow.Codec("zstd")
        frames = [codec.compress(one, asbytes=True) for one in (content[:half], content[half:])]
        packed, sizes = b"".join(frames), (zlib.crc32(content), sum(map(len, frames)), len(content))
        entry = struct.pack("<5H3I2H", 63, 0, 93, 0, 0, *sizes, len(name), 0)
        directory += struct.pack("<IH", 0x02014B50, 63) + entry
        directory += struct.pack("<3H2I", 0, 0, 0, 0, len(body)) + name.encode()
        body += struct.pack("<I", 0x04034B50) + entry + name.encode() + packed
    end = struct.pack("<4H2IH", 0, 0, len(members), len(members), len(directory), len(body), 0)
    path.write_bytes(body + directory + struct.pack("<I", 0x06054B50) + end)
    return path


def test_samples_stand_in_the_order_of_the_data_set_with_epochs_as_samples(found):
    (result,) = found.results
    assert result.items.ids == ("a", "a", "b", "b")
    assert result.items.samples == (0, 1, 0, 1)
    assert result.asked == 4


def test_grades_numbers_and_texts_of_numbers_are_scores_with_the_headline_first(found):
    (result,) = found.results
    assert [metric.name for metric in result.task.metrics] == ["choice", "two.style"]
    assert result.items.scores == {
        "choice": (1.0, 0.5, 0.0, 0.0),
        "two.style": (1.0, 1.0, 0.5, 0.25),
    }


def test_clusters_are_those_of_the_logs_own_standard_errors(found):
    assert found.results[0].items.clusters == (
        "passage:p1",
        "passage:p1",
        "passage:p2",
        "passage:p2",
    )


def test_without_clustering_in_the_log_an_item_is_its_own_cluster(tmp_path):
    log = inspect_log()
    log["eval"]["scorers"] = []
    (result,) = read_inspect(write_json(tmp_path / "log.json", log)).results
    assert result.items.clusters == result.items.ids


def test_measures_are_those_of_the_reply(found):
    assert found.results[0].items.measures == {
        "parsed": (1.0, 1.0, 1.0, 0.0),
        "refused": (0.0, 0.0, 0.0, 0.0),
        "cut_off": (0.0, 1.0, 0.0, 1.0),
        "characters": (9.0, 9.0, 9.0, 9.0),
        "tokens": (20.0, 20.0, 20.0, 20.0),
    }


def test_model_task_settings_and_provenance_come_from_the_header(found):
    (result,) = found.results
    assert (result.model.name, result.model.revision) == ("ollama/qwen2.5:0.5b", "unstated")
    assert (result.task.name, result.task.version) == ("inspect_evals/sums", 3)
    assert result.settings == {
        "temperature": 0.5,
        "max_tokens": 64,
        "chat": True,
        "limit": 2,
        "epochs": 2,
        "task_args": {"cot": True},
    }
    told = result.provenance
    assert (told.tool, told.seconds) == ("inspect_ai 0.3.285", 12.0)
    assert told.git == {"origin": "git@x:evals", "commit": "36190055"}


def test_the_random_ids_of_messages_do_not_change_digests(tmp_path, found):
    log = inspect_log()
    for sample in log["samples"]:
        sample["input"] = [{"id": "random", "role": "user", "content": sample["input"]}]
    one = read_inspect(write_json(tmp_path / "one" / "log.json", log)).results[0]
    for sample in log["samples"]:
        sample["input"][0]["id"] = "another"
        sample["messages"][0]["id"] = "a third"
    other = read_inspect(write_json(tmp_path / "other" / "log.json", log)).results[0]
    assert one.items.digests == other.items.digests
    assert (
        one.task.prompts_digest == other.task.prompts_digest == found.results[0].task.prompts_digest
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"error": {"message": "timed out"}}, "error: timed out"),
        ({"invalidation": {"reason": "wrong target"}}, "invalidated: wrong target"),
        ({"scores": {}}, "no score of choice, two.style"),
        ({"scores": {"choice": {"value": float("nan")}}}, "no score of choice, two.style"),
    ],
)
def test_a_sample_without_a_score_to_trust_has_failed(tmp_path, changes, reason):
    (result,) = read_inspect(write_json(tmp_path / "log.json", changed(**changes))).results
    place = result.items.ids.index("b")
    assert result.items.failures[place] == reason
    assert {column[place] for column in result.items.scores.values()} == {None}


def test_everything_that_a_result_cannot_hold_is_named(found):
    assert set(found.lost) == {
        "eval.dataset.samples",
        "eval.dataset.shuffled",
        "eval.revision.type",
        "eval.run_id",
        "plan.name",
        "results.headline.metric",
        "samples.messages",
        "samples.metadata",
        "samples.output.choices",
        "samples.output.completion",
        "samples.output.usage.input_tokens",
        "samples.scores.*.answer",
        "samples.scores.*.explanation",
        "samples.scores.two.length (bounds unknown)",
        "samples.uuid",
    }


def test_edits_of_scores_are_named_where_there_are_any(tmp_path):
    scores = inspect_log()["samples"][0]["scores"]
    scores["choice"]["history"] = [{"value": "C", "provenance": {"author": "me"}}]
    found = read_inspect(write_json(tmp_path / "log.json", changed(scores=scores)))
    assert "samples.scores.*.history" in found.lost


def test_an_eval_file_gives_the_same_as_its_json(tmp_path, found):
    other = read_inspect(write_inspect_zip(tmp_path / "log.eval", inspect_log()))
    assert other.results[0].items == found.results[0].items
    assert other.results[0].task == found.results[0].task
    assert other.lost == found.lost


def test_an_eval_file_may_be_compressed_by_zstandard(tmp_path, found):
    log = inspect_log()
    members = {
        f"samples/{one['id']}_epoch_{one['epoch']}.json": json.dumps(one).encode()
        for one in log.pop("samples")
    }
    path = zstandard_zip(
        tmp_path / "log.eval", {**members, "header.json": json.dumps(log).encode()}
    )
    assert read_inspect(path).results[0].items == found.results[0].items


def test_a_damaged_zstandard_member_is_refused(tmp_path):
    path = zstandard_zip(tmp_path / "log.eval", {"header.json": b'{"version": 2}'})
    content = bytearray(path.read_bytes())
    content[len("header.json") + 40] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(RunError, match=r"log\.eval: cannot be read as a zip file"):
        read_inspect(path)


def test_the_board_has_nothing_to_complain_about_but_the_limit(tmp_path, found):
    save_result(tmp_path / "results", found.results[0])
    assert {one.rule for one in faults(tmp_path / "results")} == {"limited"}


def test_a_score_that_is_no_number_is_named_with_its_sample(tmp_path):
    log = copy.deepcopy(inspect_log())
    log["samples"][0]["scores"]["choice"]["value"] = "well done"
    found = read_inspect(write_json(tmp_path / "log.json", log))
    name = log["samples"][0]["id"]
    told = f"log.json: samples.scores.choice: no number for 1 samples, as for {name!r}"
    assert any(told in lost for lost in found.lost)
    assert "no score of choice" in found.results[0].items.failures
