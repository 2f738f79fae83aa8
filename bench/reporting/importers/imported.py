"""What an importer gives: Results, and what the source holds that a Result cannot.

Filled by the readers in `bench.reporting.importers.table`, printed by `bench import`.

    Imported(results=(Result(...),), lost=("samples: arguments", "samples: resps"))
"""

from dataclasses import dataclass

from bench.reporting.results.schema import Result


@dataclass(frozen=True, slots=True)
class Imported:
    """`lost` names key paths and columns of the source, sorted; nothing is dropped unsaid."""

    results: tuple[Result, ...]
    lost: tuple[str, ...]
