"""Conformance of a task folder: what `bench check` runs, the same for every task.

The rules stand in `check_rows.py` and `check_replies.py`. An error makes `bench check` exit 1, a
warning does not.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.counted import counted
from bench.errors import BenchError, TaskError
from bench.registry.check_replies import REPLY_RULES
from bench.registry.check_rows import ROW_RULES
from bench.registry.data import ROLES, Role, Row, is_local, load_rows
from bench.registry.finding import Finding, Loaded
from bench.registry.folder import Task
from bench.registry.hooks import load_hooks
from bench.registry.prompt import examples_of
from bench.registry.spec import read_spec
from bench.scoring.aggregate import find_aggregate
from bench.scoring.scorers import find_scorers
from bench.types import Example

PER_RULE = 10  # findings shown for one rule


def check_file(
    file: Path, root: Path | None = None, unsafe_code: bool = False, fetch: bool = True
) -> list[Finding]:
    """All findings for the task whose task.yaml is `file`, which may be invalid itself."""
    try:
        task = Task(file.parent.name, file.parent, read_spec(file))
    except TaskError as error:
        message = error.cause.removeprefix(f"{file}: ")
        return [Finding("keys", str(file), f"{message}; try: {error.remedy}")]
    return check_task(task, root, unsafe_code, fetch)


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
        for name, rule in (ROW_RULES | REPLY_RULES).items():
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


def raise_findings(findings: Sequence[Finding], tasks: int) -> None:
    """Raise TaskError if any finding is an error."""
    errors = [finding for finding in findings if finding.level == "error"]
    if errors:
        raise TaskError(
            f"{counted(len(errors), 'broken rule')} in {counted(tasks, 'task folder')}",
            "mend the lines named above",
        )
