"""Conformance of a task folder: what `bench check` runs, the same for every task.

Each rule is a function of the loaded task that yields Findings; RULES is the table. An error makes
`bench check` exit 1, a warning does not.
"""

import os
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.errors import BenchError, TaskError
from bench.registry.data import ROLES, Role, Row, is_local, load_rows
from bench.registry.folder import Task
from bench.registry.hooks import load_hooks
from bench.registry.prompt import examples_of
from bench.scoring.aggregate import find_aggregate
from bench.scoring.record import Scorers, to_record
from bench.scoring.scorers import find_scorers
from bench.types import Example, Record, Reply

GRAM = 13  # words (characters in Chinese) shared by test and train that count as leaked
SAMPLED = 150  # rows whose random reply is scored
FEW = 20  # rows below which shares and means say nothing
PER_RULE = 10  # findings shown for one rule
Level = Literal["error", "warning"]
PUNCTUATION = re.compile(r"[.,;:!?\"'“”‘’…、。，；：！？]")
WORDS = re.compile(r"[\u4e00-\u9fff]|[^\W_]+")


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule: its name, where (`file:line` or `file: key`), what was found."""

    rule: str
    where: str
    message: str
    level: Level = "error"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A task with its rows and, for each role, its Examples (row i is Example i)."""

    task: Task
    rows: dict[Role, list[Row]]
    examples: dict[Role, list[Example]]
    scorers: Scorers

    @property
    def file(self) -> Path:
        """The task.yaml."""
        return self.task.folder / "task.yaml"

    def pairs(self) -> Iterator[tuple[Row, Example]]:
        """Every row of every role with its Example."""
        for role in ROLES:
            yield from zip(self.rows[role], self.examples[role], strict=True)


Rule = Callable[[Loaded], Iterator[Finding]]


def check_task(
    task: Task, root: Path | None = None, unsafe_code: bool = False, fetch: bool = True
) -> list[Finding]:
    """All findings for `task`; at most ten for each rule.

    Without `fetch`, rows that only the Hub has are not asked for: a warning says so.
    """
    findings = list(_folder(task))
    if not fetch and not is_local(task, root):
        where = str(task.folder / "task.yaml")
        message = f"rows of {task.spec.data.hub} are not here, so only the keys were checked"
        return [*findings, Finding("data", where, message, "warning")]
    try:
        loaded, broken = _load(task, root, unsafe_code)
    except BenchError as error:
        message = f"{error.cause}; try: {error.remedy}"
        return [*findings, Finding("loads", str(task.folder / "task.yaml"), message)]
    findings += broken
    if not broken:
        for name, rule in RULES.items():
            found = list(rule(loaded))
            findings += found[:PER_RULE]
            if len(found) > PER_RULE:
                level = found[0].level
                findings.append(Finding(name, str(loaded.file), f"{len(found)} in all", level))
    return findings


def _load(task: Task, root: Path | None, unsafe_code: bool) -> tuple[Loaded, list[Finding]]:
    scorers = find_scorers(task.spec.scorers, load_hooks(task.folder).score, unsafe_code)
    for name in task.spec.aggregates:
        find_aggregate(name)
    rows: dict[Role, list[Row]] = {role: _distinct_split(task, role, root) for role in ROLES}
    examples: dict[Role, list[Example]] = {}
    broken: list[Finding] = []
    for variant in ("", *task.spec.variants):
        for role in ROLES:
            made, failures = examples_of(task, rows[role], [], variant=variant)
            broken += [
                Finding("renders", failure.where, failure.reason.removeprefix(f"{failure.where}: "))
                for failure in failures[:PER_RULE]
            ]
            if not variant:
                examples[role] = made
    return Loaded(task, rows, examples, scorers), broken


def _distinct_split(task: Task, role: Role, root: Path | None) -> list[Row]:
    """Rows of a role; shots that are taken from the train split are not counted twice."""
    splits = task.spec.splits
    if role == "shots" and splits.shots in (splits.train, splits.test):
        return []
    return load_rows(task, role, root)


def _folder(task: Task) -> Iterator[Finding]:
    """README with origin and limits; no stray Python beside task.py."""
    if not (task.folder / "README.md").is_file():
        yield Finding("readme", str(task.folder), "no README.md: say origin, licence and limits")
    for variant, spec in task.spec.variants.items():
        if spec.model_dump(exclude_none=True) == {}:
            where = str(task.folder / "task.yaml")
            yield Finding("variants", where, f"variants.{variant} changes nothing")


def _ids(loaded: Loaded) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    by_number = not loaded.task.spec.id
    for role in ROLES:
        if by_number:
            seen.clear()
        for row, example in zip(loaded.rows[role], loaded.examples[role], strict=True):
            if example.id in seen:
                yield Finding("ids", row.where, f"id {example.id!r} is also at {seen[example.id]}")
            seen[example.id] = row.where


def _empty(loaded: Loaded) -> Iterator[Finding]:
    for row, example in loaded.pairs():
        if not example.target.strip():
            yield Finding("empty", row.where, "the target is blank")
        if loaded.task.spec.data.files:
            for key, value in row.values.items():
                if value is None or value == "" or value == []:
                    yield Finding("empty", row.where, f"column {key!r} is empty")


def _balance(loaded: Loaded) -> Iterator[Finding]:
    """No label, or position of the right choice, outweighs the others."""
    for role in ("train", "test"):
        right = [example.right[0] for example in loaded.examples[role] if example.right]
        if len(right) < FEW:
            continue
        options = max(len(example.choices) for example in loaded.examples[role])
        place, count = Counter(right).most_common(1)[0]
        share = count / len(right)
        literal = isinstance(loaded.task.spec.choices, tuple)
        what = repr(loaded.task.spec.choices[place]) if literal else f"position {place + 1}"
        message = f"{what} is right in {count} of {len(right)} {role} rows ({options} choices)"
        split = getattr(loaded.task.spec.splits, role)
        where = f"{loaded.file}: splits.{role}: {split}"
        if share > (1 + 1 / options) / 2:
            yield Finding("balance", where, message)
        elif share > 1.35 / options:
            yield Finding("balance", where, message, "warning")


def _overlap(loaded: Loaded) -> Iterator[Finding]:
    """No test row is also a train or shots row, or shares 13 words in a row with one.

    Rows of the Hub are as they are: there an overlap is a warning.
    """
    level: Level = "warning" if loaded.task.spec.data.hub else "error"
    known: dict[str, str] = {}
    grams: dict[tuple[str, ...], str] = {}
    for role in ("train", "shots"):
        for row, example in zip(loaded.rows[role], loaded.examples[role], strict=True):
            known[_folded(example.question)] = row.where
            for gram in _grams(row):
                grams[gram] = row.where
    shared = _boilerplate(loaded)
    for row, example in zip(loaded.rows["test"], loaded.examples["test"], strict=True):
        if _folded(example.question) in known:
            twin = known[_folded(example.question)]
            yield Finding("overlap", row.where, f"the same question is at {twin}", level)
            continue
        leaked = next((gram for gram in _grams(row) if gram in grams and gram not in shared), None)
        if leaked is not None:
            text = " ".join(leaked)
            message = f"13 words as at {grams[leaked]}: {text!r}"
            yield Finding("overlap", row.where, message, level)


def _boilerplate(loaded: Loaded) -> set[tuple[str, ...]]:
    """Word runs that more than a tenth of the train rows hold: phrasing of the data, not a leak."""
    counts = Counter(gram for row in loaded.rows["train"] for gram in set(_grams(row)))
    bound = max(5, len(loaded.rows["train"]) // 10)
    return {gram for gram, count in counts.items() if count > bound}


def _grams(row: Row) -> Iterator[tuple[str, ...]]:
    for value in row.values.values():
        if isinstance(value, str):
            words = WORDS.findall(value.casefold())
            for start in range(len(words) - GRAM + 1):
                yield tuple(words[start : start + GRAM])


def _folded(text: str) -> str:
    """`text` without case, spacing and punctuation; signs stay, as 2 + 3 is not 2 - 3."""
    return " ".join(PUNCTUATION.sub(" ", text.casefold()).split())


def _gold(loaded: Loaded) -> Iterator[Finding]:
    """The target, given as the reply, scores 1 on the headline."""
    pairs = list(loaded.pairs())
    records = _score(loaded, [example for _, example in pairs], [_say] * len(pairs))
    yield from _unexpected("gold", pairs, records, 1.0)


def _blank(loaded: Loaded) -> Iterator[Finding]:
    """A reply that says nothing scores 0 on every scorer."""
    pairs = list(zip(loaded.rows["test"], loaded.examples["test"], strict=True))
    records = _score(loaded, [example for _, example in pairs], [lambda example: ""] * len(pairs))
    yield from _unexpected("empty reply", pairs, records, 0.0)


def _chance(loaded: Loaded) -> Iterator[Finding]:
    """Random replies score about what `chance` says."""
    stated = loaded.task.spec.chance
    test = loaded.examples["test"]
    if not test:
        return
    if test[0].generation is None:
        found = sum(len(example.right) / len(example.choices) for example in test) / len(test)
        tolerance = 0.01
    else:
        found, tolerance = _random_score(loaded, test)
    if abs(found - stated) > tolerance:
        yield Finding(
            "chance",
            f"{loaded.file}: chance",
            f"found {stated}, random replies score {found:.3f} (tolerance {tolerance:.3f})",
        )


def _random_score(loaded: Loaded, test: Sequence[Example]) -> tuple[float, float]:
    """Mean headline of other rows' targets, and three standard errors of it (at least 0.03)."""
    draw = random.Random(0)
    asked = draw.sample(list(test), min(SAMPLED, len(test)))
    strangers = defaultdict(list)
    for example in test:
        strangers[example.target].append(example)
    targets = sorted(strangers)
    if len(targets) < 2:
        return loaded.task.spec.chance, 1.0
    says = [_other(example, targets, draw) for example in asked]
    values = [
        next(iter(record.scores.values()))
        for record in _score(loaded, asked, says)
        if record.status == "scored"
    ]
    if len(values) < FEW:
        return loaded.task.spec.chance, 1.0
    mean = sum(values) / len(values)
    spread = (sum((value - mean) ** 2 for value in values) / (len(values) - 1)) ** 0.5
    return mean, max(0.03, 3 * spread / len(values) ** 0.5)


def _other(
    example: Example, targets: Sequence[str], draw: random.Random
) -> Callable[[Example], str]:
    said = draw.choice([target for target in targets if target != example.target])
    return lambda _: said


def _say(example: Example) -> str:
    return example.target


def _score(
    loaded: Loaded, examples: Sequence[Example], says: Sequence[Callable[[Example], str]]
) -> list[Record]:
    """Each Example scored with the reply that its `says` gives; code runs on all cores."""

    def one(pair: tuple[Example, Callable[[Example], str]]) -> Record:
        example, say = pair
        return to_record(example, _reply(example, say(example)), loaded.scorers)

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(one, zip(examples, says, strict=True)))


def _reply(example: Example, said: str) -> Reply:
    """`said` as generated text, or as a preference for the right choice (nothing: for none)."""
    if example.generation is not None:
        return Reply(text=said)
    if not said:
        return Reply(finish="scored")
    logprobs = tuple(
        0.0 if place in example.right else -9.0 for place in range(len(example.choices))
    )
    return Reply(
        logprobs=logprobs,
        baseline=(-1.0,) * len(logprobs),
        token_counts=(1,) * len(logprobs),
        finish="scored",
    )


def _unexpected(
    rule: str, pairs: Sequence[tuple[Row, Example]], records: Sequence[Record], wanted: float
) -> Iterator[Finding]:
    for (row, _), record in zip(pairs, records, strict=True):
        if record.status == "failed":
            yield Finding(rule, row.where, record.reason)
            continue
        judged = record.scores if wanted == 0.0 else dict(list(record.scores.items())[:1])
        for name, value in judged.items():
            if value != wanted:
                yield Finding(rule, row.where, f"{name} gives {value:.3f}, expected {wanted:.0f}")


def raise_findings(findings: Sequence[Finding], tasks: int) -> None:
    """Raise TaskError if any finding is an error."""
    errors = [finding for finding in findings if finding.level == "error"]
    if errors:
        raise TaskError(
            f"{len(errors)} broken rules in {tasks} task folders", "mend the lines named above"
        )


RULES: dict[str, Rule] = {
    "ids": _ids,
    "empty": _empty,
    "balance": _balance,
    "overlap": _overlap,
    "gold": _gold,
    "empty reply": _blank,
    "chance": _chance,
}
