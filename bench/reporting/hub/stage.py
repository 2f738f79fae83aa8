"""What goes to each kind of repository, laid out in a folder: the site, the results, or a card.

Called by `bench board publish`.

    hf://spaces/org/board      the site, with the front matter of a static Space
    hf://datasets/org/results  leaderboard/results as it is
    hf://org/model             the model's card with its scores, and .eval_results/
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from bench.errors import RunError, UsageError, did_you_mean
from bench.reporting.hub.card_score import scores_of
from bench.reporting.hub.eval_results import benchmarks_in
from bench.reporting.hub.model_folder import write_model_folder
from bench.reporting.hub.publish import fetch_card
from bench.reporting.hub.space import write_space
from bench.reporting.hub.target import Target
from bench.reporting.results.files import load_results


@dataclass(frozen=True, slots=True)
class Asked:
    """What is said of a model whose repository is the target: which of the results are its own,
    what it was trained from, the benchmark on the Hub that holds the tasks ("" for none), where the
    board is read. `fetch_card` reads the card it has, so that only our scores change in it."""

    model: str = ""
    base_model: str = ""
    benchmark: str = ""
    source: str = ""
    fetch_card: bool = False


def stage(target: Target, out: Path, site: Path, results: Path, asked: Asked) -> Path:
    """The files for `target` in the new folder `out`.

    Raises:
        UsageError: a model's repository is named without a model, or there is no such model.
        RunError: there is no site, there are no results, or the Hub does not answer.
    """
    if target.kind == "space":
        return write_space(site, out)
    found = load_results([results])
    if target.kind == "dataset":
        try:
            shutil.copytree(results, out)
        except OSError as error:
            raise RunError(
                f"{results}: cannot be copied: {error}",
                "mend or remove what is named, or free some space; then run the same command again",
            ) from None
        return out
    names = sorted({one.model.name for one in found})
    model = asked.model
    if model not in names:
        told = f"no results of {model!r}" if model else "--model: whose results is not said"
        raise UsageError(f"{results}: {told}", did_you_mean(model, names))
    own = [one for one in found if one.model.name == model]
    revisions = sorted({one.model.revision for one in own})
    if len(revisions) > 1:
        raise RunError(
            f"{results}: {model} has results of {len(revisions)} revisions: {', '.join(revisions)}",
            "leave one of the folders in a folder of results of its own, and name that",
        )
    card = fetch_card(target) if asked.fetch_card else ""
    known = benchmarks_in(asked.benchmark, own) if asked.benchmark else {}
    return write_model_folder(out, card, own, scores_of(own), known, asked.base_model, asked.source)
