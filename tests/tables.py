"""The generated tables of READMEs and CONTRIBUTING.md: `python -m tests.tables` writes them.

Each stands between `<!-- NAME: begin -->` and `<!-- NAME: end -->`; `test_docs.py` compares.
"""

import ast
import inspect
import json
import re
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bench.registry import spec
from bench.registry.data import ROLES, count_rows
from bench.registry.folder import Task, all_tasks
from bench.scoring.aggregate import AGGREGATES, pass_at
from bench.scoring.scorers import SCORERS
from bench.training import settings
from bench.training.data import data_settings
from bench.training.recipe import load_recipe, packaged_names

ROOT = Path(__file__).parents[1]


def tasks() -> str:
    """A row for each embedded task."""
    rows = [
        "| task | what | kind | language | train / shots / test | headline |",
        "|---|---|---|---|---|---|",
    ]
    for task in all_tasks():
        found = task.spec
        rows.append(
            f"| [{task.name}](tasks/{task.name}/README.md) | {found.title} | {found.kind} | "
            f"{found.language} | {_counts(task)} | {found.scorers[0]} |"
        )
    return "\n".join(rows)


def keys() -> str:
    """A row for each key of task.yaml, from the sentences under the fields."""
    rows = ["| key | meaning |", "|---|---|"]
    rows += [
        f"| `{name}` | {meaning} |" for name, meaning in field_sentences(spec.TaskSpec).items()
    ]
    return "\n".join(rows)


def scorers() -> str:
    """A row for each scorer and metric, from the first sentence of its docstring."""
    named: dict[str, Callable[..., float]] = {**SCORERS, **AGGREGATES}
    rows = ["| name | meaning |", "|---|---|"]
    rows += [f"| `{name}` | {_sentence(function)} |" for name, function in named.items()]
    return "\n".join([*rows, f"| `pass@k` | {_sentence(pass_at)} |"])


def recipes() -> str:
    """A row for each packaged recipe."""
    rows = ["| recipe | stages | what |", "|---|---|---|"]
    for name in packaged_names():
        recipe = load_recipe(name).recipe
        rows.append(f"| [{name}]({name}.yaml) | {', '.join(recipe.stages)} | {recipe.title} |")
    return "\n".join(rows)


def recipe_keys() -> str:
    """A table for each class of a recipe, from the sentences under its fields."""
    parts = []
    for model in RECIPE_PARTS:
        rows = [f"**{model.__name__}** - {inspect.getdoc(model)}\n", "| key | default | meaning |"]
        rows.append("|---|---|---|")
        for name, said in field_sentences(model).items():
            field = model.model_fields[name]
            meaning = said.replace("|", "\\|")
            rows.append(f"| `{field.alias or name}` | {_default(field)} | {meaning} |")
        parts.append("\n".join(rows))
    return "\n\n".join(parts)


RECIPE_PARTS = (
    settings.Recipe, data_settings.Data, data_settings.Source, data_settings.Mix,
    data_settings.Clean, data_settings.Holdout, settings.Training, settings.Lora,
    settings.Optimizer, settings.Sft, settings.Select, settings.Rank, settings.RankBy,
    settings.Reward, settings.Dpo, settings.Reinforcement, settings.RewardPart, settings.Ptx,
    settings.Ppo, settings.Value, settings.Grouped, settings.Rloo, settings.Grpo,
)  # fmt: skip
TABLES = {
    "README.md": {"tasks": tasks},
    "CONTRIBUTING.md": {"keys": keys, "scorers": scorers},
    "bench/recipes/README.md": {"recipes": recipes, "keys": recipe_keys},
}


def _default(field: FieldInfo) -> str:
    """How a recipe would write it."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return "below"
    return f"`{json.dumps(value)}`"


def with_tables(file: str) -> str:
    """The text of `file` with its tables made anew."""
    text = (ROOT / file).read_text(encoding="utf-8")
    for name, table in TABLES[file].items():
        block = f"<!-- {name}: begin -->\n{table()}\n<!-- {name}: end -->"
        pattern = f"<!-- {name}: begin -->.*?<!-- {name}: end -->"
        text = re.sub(pattern, lambda _, block=block: block, text, flags=re.DOTALL)
    return text


def field_sentences(model: type) -> dict[str, str]:
    """Field name -> the string under it in the source of the class."""
    (definition,) = ast.parse(inspect.getsource(model)).body
    assert isinstance(definition, ast.ClassDef)
    found = {}
    for field, said in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(said, ast.Expr):
            assert isinstance(field.target, ast.Name)
            found[field.target.id] = " ".join(ast.literal_eval(said.value).split())
    return found


def _counts(task: Task) -> str:
    if task.spec.data.hub:
        return "from the Hub"
    return " / ".join(str(count_rows(task, role)) for role in ROLES)


def _sentence(function: Callable[..., float]) -> str:
    paragraph = (inspect.getdoc(function) or "").split("\n\n")[0]
    return " ".join(paragraph.split()).replace("|", "\\|")


def main() -> None:
    """Write every file that has tables."""
    for file in TABLES:
        (ROOT / file).write_text(with_tables(file), encoding="utf-8")


if __name__ == "__main__":
    main()
