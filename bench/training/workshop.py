"""What the runners of stages have in common: names -> weights and data, on a device.

A name in a recipe is `base`, a stage of the recipe (then its folder below the output), or whatever
`bench eval` takes: a built-in name, a folder, a Hub id.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import torch

from bench.cards import read_card
from bench.errors import ModelError
from bench.models.hf import HuggingFace
from bench.models.load import choose_placement
from bench.models.options import ModelOptions
from bench.models.weights import Weights, find_weights
from bench.store import write_atomic
from bench.training.data.corpus import Corpus, load_corpus
from bench.training.data.data_settings import Chat, Clean, Data, Holdout, Mix, Source
from bench.training.data.decontaminate import KnownTests, read_tests
from bench.training.data.encode import Material
from bench.training.data.sources import Item, Places
from bench.training.data.writer import Writer
from bench.training.recipe import LoadedRecipe
from bench.training.settings import Rank
from bench.training.stage_file import RANKINGS
from bench.training.steps.processes import Processes
from bench.training.steps.state import WORK
from bench.training.steps.watch import SilentWatcher, Watcher
from bench.types import Json


class Workshop:
    """A recipe at work: where it writes, what it computes on, what it has read already."""

    def __init__(
        self, loaded: LoadedRecipe, output: Path, places: Places, watcher: Watcher
    ) -> None:
        self.loaded, self.recipe = loaded, loaded.recipe
        self.output, self.places = output, places
        placement = choose_placement(self.recipe.dtype, self.recipe.device)
        self.dtype: torch.dtype = placement.dtype
        self.processes = Processes(placement.device)
        self.watcher = watcher if self.processes.main else SilentWatcher()
        self._corpora: dict[str, Corpus[Item]] = {}
        self._tests: KnownTests | None = None

    @property
    def device(self) -> torch.device:
        """Where this process computes."""
        return self.processes.device

    def folder(self, stage: str) -> Path:
        """Where a stage writes."""
        return self.output / stage

    def weights(self, name: str) -> Weights:
        """The checkpoint that a recipe calls `name`.

        Raises:
            ModelError: there is none, or the stage has not been trained.
        """
        if name == "base":
            return find_weights(self.recipe.base)
        if name not in self.recipe.stages:
            return find_weights(name)
        folder = self.folder(name)
        if read_card(folder) is None:
            raise ModelError(
                f"{folder}: stage {name!r} has not been trained there",
                self._command(name),
            )
        return find_weights(str(folder))

    def corpus(self, name: str) -> Corpus[Item]:
        """The data called `name`, or the rankings of the rank stage of that name.

        Raises:
            TaskError: a source is missing or empty. RunError: rankings are damaged.
        """
        if name not in self._corpora:
            data = self.recipe.data.get(name) or self._ranked(name)
            if data.clean.decontaminate and self._tests is None:
                self._tests = read_tests(self.places)
            self._corpora[name] = load_corpus(
                name, data, self.places, self.recipe.seed, self._tests
            )
        return self._corpora[name]

    def mix(self, name: str) -> Mix:
        """How the data called `name` is drawn; rankings of a stage are one source."""
        return self.recipe.data[name].mix if name in self.recipe.data else Mix()

    def writer(self, weights: Weights, chat: Chat, system: str) -> Writer:
        """Tokenizes for the checkpoint in `weights`."""
        options = ModelOptions(dtype="float32", device=str(self.device))
        return Writer(HuggingFace(weights.name, options, weights), chat, system)

    def report(self, stage: str, uses: Mapping[str, tuple[Corpus[Item], Material]]) -> None:
        """Tell what became of the rows of the data that is used for each key of the stage, and
        write it to the stage's `training/data.json`: `too_long` and `pieces`
        stand there by key, for `prompts` of a mixture may be short enough where its demonstrations
        are not."""
        names = [corpus.name for corpus, _ in uses.values()]
        too_long: dict[str, dict[str, Json]] = {name: {} for name in names}
        pieces: dict[str, dict[str, Json]] = {name: {} for name in names}
        for key, (corpus, material) in uses.items():
            lost = material.too_long
            too_long[corpus.name][key] = {"rows": {**lost.rows}, "held_out": {**lost.held_out}}
            said = f"; too long: {lost.summary()}" if lost.summary() else ""
            pieces[corpus.name][key] = {**material.pieces}
            cut = ", ".join(f"{name} {count}" for name, count in material.pieces.items())
            said += f"; pieces of longer texts: {cut}" if cut else ""
            self.watcher.note(f"{stage}: data {corpus.name}: {corpus.report.summary()}{said}")
            if corpus.report.unread:
                unread = ", ".join(corpus.report.unread)
                self.watcher.note(f"{stage}: test rows that could not be looked for: {unread}")
        told = {
            corpus.name: corpus.report.to_json()
            | {"too_long": too_long[corpus.name], "pieces": pieces[corpus.name]}
            for corpus, _ in uses.values()
        }
        if self.processes.main:
            text = json.dumps(told, ensure_ascii=False, indent=2) + "\n"
            write_atomic(self.folder(stage) / WORK / "data.json", text.encode())

    def _command(self, stage: str) -> str:
        """What runs a stage; the recipe's own folder stands below the one that -o names."""
        return f"bench train {self.loaded.path} -o {self.output.parent} --only {stage}"

    def _ranked(self, stage: str) -> Data:
        """The rankings that a stage wrote; what its prompts held out is held out here too."""
        settings = self.recipe.stages[stage]
        assert isinstance(settings, Rank), "check_names lets nothing else through"
        path = self.folder(stage) / RANKINGS
        if not path.is_file():
            raise ModelError(
                f"{path}: stage {stage!r} has not been run there",
                self._command(stage),
            )
        held = self.recipe.data[settings.prompts].holdout
        return Data(
            sources=(Source(file=str(path.resolve()), name=stage),),
            clean=Clean(exact=False, decontaminate=False),
            holdout=Holdout(share=held.share, most=held.most),
        )
