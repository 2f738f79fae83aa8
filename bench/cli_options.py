"""What the verbs of the command line share: options with their help, and how JSON is printed."""

from pathlib import Path
from typing import Annotated, Literal

import typer

TaskFolders = Annotated[
    list[Path] | None,
    typer.Option("--tasks", metavar="DIR", help="Folder of task folders; repeatable."),
]
DataRoot = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Local mirror of the Hub (BENCH_DATA_ROOT).")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Unsafe = Annotated[
    bool, typer.Option("--unsafe-code", help="Run model-written code without a sandbox.")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")]
DType = Annotated[
    Literal["auto", "float32", "bfloat16", "float16"], typer.Option(help="Arithmetic.")
]
Chat = Literal["auto", "on", "off"]


def print_json(document: object) -> None:
    """One JSON document on stdout."""
    import json

    typer.echo(json.dumps(document, ensure_ascii=False, indent=2))
