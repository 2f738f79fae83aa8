"""The schema of a recipe's data: where rows come from, how they are mixed, cleaned, held out.

data:
  tasks:
    sources: [{task: topic}, {file: chats.jsonl, group: user}]
    mix: {by: temperature, temperature: 2}
    clean: {near: 0.9, pii: contacts}
    holdout: {share: 0.1}
"""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from bench.schema import Strict

Share = Annotated[float, Field(ge=0.0, lt=1.0)]
Positive = Annotated[float, Field(gt=0.0)]
NotNegative = Annotated[float, Field(ge=0.0)]
Count = Annotated[int, Field(gt=0)]


def _on_or_off(found: object) -> object:
    """YAML reads on and off as true and false."""
    return {True: "on", False: "off"}[found] if isinstance(found, bool) else found


# Whether prompts are asked through the tokenizer's chat template; of stages, too.
Chat = Annotated[Literal["auto", "on", "off"], BeforeValidator(_on_or_off)]


class Source(Strict):
    """Where rows come from: exactly one of `task`, `file`, `hub`."""

    task: str = ""
    """A task of the registry; its train split is used."""
    file: str = ""
    """JSONL, CSV or Parquet, relative to the recipe."""
    hub: str = ""
    """Data set id on the Hub, or below BENCH_DATA_ROOT."""
    config: str = ""
    """Configuration of the Hub data set."""
    revision: str = ""
    """Commit of the Hub data set."""
    split: str = "train"
    """Split of the Hub data set."""
    name: str = ""
    """What logs call it; empty: the task, the file's stem, the last part of the Hub id."""
    variants: tuple[str, ...] = ()
    """Prompt variants of a task, drawn row by row beside the task's own wording; "*" is all."""
    columns: dict[str, str] = Field(default_factory=dict)
    """Our column name -> the data's: prompt, completion, messages, instruction, context, response,
    text, chosen, rejected, completions, ranks, id."""
    group: str = ""
    """Column (a user, a template, a passage) whose rows are held out together; empty: rows of
    preferences go with their prompt, others alone."""
    limit: Count | None = None
    """Only the first rows."""

    @model_validator(mode="after")
    def one_origin(self) -> Self:
        """A source is a task, a file or a Hub data set."""
        if sum(map(bool, (self.task, self.file, self.hub))) != 1:
            raise ValueError("give exactly one of task, file and hub")
        if self.variants and not self.task:
            raise ValueError("variants belong to a task")
        return self

    @property
    def label(self) -> str:
        """What logs call the source."""
        stem = self.file.rsplit("/", 1)[-1].split(".")[0]
        return self.name or self.task or stem or self.hub.rsplit("/", 1)[-1]


class Mix(Strict):
    """How often each source is drawn."""

    by: Literal["proportional", "temperature", "equal", "explicit"] = "proportional"
    """By rows (at most `cap` each), by rows^(1/temperature), all alike, or by `weights`."""
    cap: Count = 3000
    """Rows above which a source counts no more (FLAN's maximum mixing rate; T5's limit K)."""
    temperature: Positive = 2.0
    """T of `temperature`: r^(1/T), renormalised (T5, arXiv 1910.10683, section 3.5.2)."""
    weights: dict[str, NotNegative] = Field(default_factory=dict)
    """Source label -> weight, for `explicit`."""

    @model_validator(mode="after")
    def weights_go_with_explicit(self) -> Self:
        """`weights` is required by `explicit`, and means nothing elsewhere."""
        if (self.by == "explicit") != bool(self.weights):
            raise ValueError("weights go with by: explicit, and only with it")
        return self


class Clean(Strict):
    """What is dropped before training; a report says how much and why."""

    exact: bool = True
    """Drop rows whose prompt and reply stand earlier, case and spacing aside."""
    near: Share = 0.0
    """Drop rows whose MinHash Jaccard similarity to an earlier one reaches this; 0: keep them."""
    longest: Count | None = None
    """Drop rows with more characters in prompt and reply."""
    pii: str = ""
    """`contacts` (mail addresses, phone and card numbers), or FILE.py:FUNCTION that is given the
    text of a row and returns True to drop it."""
    decontaminate: bool = True
    """Drop rows that share 13 words in a row, or the question, with a test row of any task."""


class Holdout(Strict):
    """Rows kept out of training, whole groups together, to measure on."""

    share: Share = 0.1
    """Share of the groups; drawn by hash, so more data moves no row."""
    most: Count = 200
    """Rows measured on; more are kept out all the same."""


class Data(Strict):
    """A named mixture of sources."""

    sources: Annotated[tuple[Source, ...], Field(min_length=1)]
    """Where the rows come from; labels are distinct."""
    mix: Mix = Mix()
    """How often each source is drawn."""
    clean: Clean = Clean()
    """What is dropped."""
    holdout: Holdout = Holdout()
    """What is kept out."""

    @model_validator(mode="after")
    def distinct_labels(self) -> Self:
        """Logs and weights name sources by label."""
        labels = [source.label for source in self.sources]
        twice = sorted({label for label in labels if labels.count(label) > 1})
        if twice:
            raise ValueError(f"two sources are called {', '.join(twice)}; give one a name")
        unknown = sorted(set(self.mix.weights) - set(labels))
        if unknown:
            raise ValueError(f"mix.weights names {', '.join(unknown)}, sources are {labels}")
        return self
