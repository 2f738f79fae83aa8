"""The updates of a stage: where they start, when they are logged and saved, when they must stop.

Each stage owns its flow and asks the Loop only for these:

    loop = Loop(site, settings, [Group(trained_parameters(network))], total=120)
    for step in loop.steps():
        ...  # gradients
        loop.update(step, {"loss": 1.9})
    loop.end()
"""

import math
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from torch import Tensor

from bench.errors import RunError
from bench.training.networks.layout import Document
from bench.training.settings import Training
from bench.training.steps.log import Log
from bench.training.steps.processes import Processes
from bench.training.steps.state import BEFORE, STATE, WORK, State, load_state, save_state
from bench.training.steps.updates import Group, Updates
from bench.training.steps.watch import Watcher
from bench.types import Json

MOST_UNSAVED = 50  # updates, where a recipe does not say how often to save


@dataclass(frozen=True, slots=True)
class Site:
    """Where and with what a stage runs. `inputs` is the digest of all that it depends on."""

    name: str
    kind: str
    folder: Path
    seed: int
    inputs: str
    processes: Processes
    watcher: Watcher


@dataclass(frozen=True, slots=True)
class LastGood:
    """The last state that a stage which went astray at update `astray` had saved and made a good
    update from: after `step` updates, with the tokens learned from until then, by source."""

    step: int
    astray: int
    tokens: Mapping[str, int]


class AstrayError(RunError):
    """A stage has gone astray. With `last_good` its networks hold the weights of that state."""

    def __init__(self, cause: str, remedy: str = "", last_good: LastGood | None = None) -> None:
        super().__init__(cause, remedy)
        self.last_good = last_good


class Loop:
    """Numbers the updates of a stage and keeps its state; a killed stage goes on from the last."""

    def __init__(self, site: Site, settings: Training, groups: Sequence[Group], total: int) -> None:
        self.site, self.settings, self.total = site, settings, total
        self.save_every = settings.save_every or max(1, min(MOST_UNSAVED, total // 10))
        self.updates = Updates(groups, settings, total, site.processes)
        self.path, self.before = (site.folder / WORK / name for name in (STATE, BEFORE))
        self.facts: dict[str, Json] = {}
        self.tokens: Counter[str] = Counter()
        self.start, self.lines, self.seconds = 0, 0, 0.0
        for newest in islice(self._saved(), 1):
            self._restore(newest)
        self.clock = time.perf_counter()
        self.mark = (float(self.tokens.total()), self.seconds)  # at the last update
        site.watcher.begin(site.name, site.kind, total, self.start)
        self.log = Log(site.folder, site.watcher, site.processes.main, self.start, self.lines)

    def steps(self) -> Iterator[int]:
        """The numbers of the updates still to be made, from 0."""
        yield from range(self.start, self.total)

    def count(self, documents: Sequence[Document]) -> None:
        """Add the reply tokens of `documents`, which all processes learn from, to `tokens`."""
        for document in documents:
            self.tokens[document.source] += sum(map(len, document.replies))

    def update(self, step: int, metrics: Mapping[str, float], may_save: bool = True) -> None:
        """Apply the gradients, log `metrics`, save the state when it is due.

        Without `may_save` it is not: more belongs to the step, and the caller saves after it.

        Raises:
            AstrayError: something is not finite or passes `max_loss`; the last state stays.
        """
        done = self.updates.apply(step)
        seen = {"seconds": round(self.elapsed(), 3), "tokens": float(self.tokens.total())}
        drawn = {f"tokens/{source}": float(count) for source, count in self.tokens.items()}
        told = {**seen, **drawn, **metrics, **done}
        for name, value in told.items():
            if name.startswith(("loss", "grad_norm")) and not math.isfinite(value):
                self.stop(step, f"{name} is {value}")
        most, loss = self.settings.max_loss, told.get("loss")  # none where no pair was decided
        if most is not None and loss is not None and loss > most:
            self.stop(step, f"loss is {loss:.4g}, above max_loss {most:g}", "max_loss")
        self.log.add(step + 1, told, self._speed())
        if may_save and (step + 1) % self.save_every == 0:
            self.save(step + 1)

    def stop(self, step: int, what: str, limit: str = "") -> None:
        """Go back to the last good state, and raise the AstrayError that ends the stage, which has
        gone astray at update `step`.

        `limit` is the setting that stopped it: with a larger one it goes on from the saved state.
        """
        kept, good = "no state had been saved", None
        for place, saved in enumerate(self._saved()):
            self._restore(saved)
            if place == 0:
                kept = f"the state after update {self.start} is kept in {self.path}"
            if self.start < step:  # the update after it went well
                self.updates.adopt_average()
                good = LastGood(self.start, step + 1, self.tokens)
                break
        further = f"raise stages.{self.site.name}.{limit} to go on from there, or " if limit else ""
        raise AstrayError(
            f"stage {self.site.name}: {what} at update {step + 1}; {kept}",
            f"{further}lower its rate: --set stages.{self.site.name}.optimizer.lr="
            f"{self.settings.optimizer.lr / 3:.2g}",
            good,
        )

    def save(self, step: int) -> None:
        """Keep everything that `step` updates have led to."""
        self.facts |= {
            "step": step,
            "lines": self.log.lines,
            "seconds": self.elapsed(),
            "inputs": self.site.inputs,
            "tokens": dict(self.tokens),
        }
        if self.site.processes.main:
            save_state(self.path, State(self.updates.tensors(), self.facts), self.before)
        self.site.processes.wait()

    def end(self) -> None:
        """The last update is made: the weights become their moving average, the log is closed."""
        self.updates.adopt_average()
        self.log.close()
        self.site.watcher.end(self.site.name)

    def elapsed(self) -> float:
        """Seconds that the stage has taken, over all its runs."""
        return self.seconds + time.perf_counter() - self.clock

    def _speed(self) -> dict[str, float]:
        """Reply tokens a second since the update before, for whoever watches."""
        (tokens, seconds), self.mark = self.mark, (float(self.tokens.total()), self.elapsed())
        return {"tokens_per_second": (self.mark[0] - tokens) / max(self.mark[1] - seconds, 1e-9)}

    def tensors(self) -> dict[str, Tensor]:
        """The weights as they are, for a snapshot."""
        return {name: value.detach().clone() for name, value in self.updates.parameters.items()}

    def _saved(self) -> Iterator[State]:
        """The states that were saved of these inputs, the newest first."""
        for path in (self.path, self.before):
            saved = load_state(path)
            if saved is not None and saved.facts.get("inputs") == self.site.inputs:
                yield saved

    def _restore(self, saved: State) -> None:
        """Put back `saved`."""
        self.updates.restore(saved.tensors)
        self.facts = saved.facts
        step, lines, seconds, tokens = (
            saved.facts[key] for key in ("step", "lines", "seconds", "tokens")
        )
        assert isinstance(step, int)
        assert isinstance(lines, int)
        assert isinstance(seconds, float)
        assert isinstance(tokens, dict)
        self.start, self.lines, self.seconds = step, lines, seconds
        self.tokens = Counter({source: int(str(count)) for source, count in tokens.items()})
