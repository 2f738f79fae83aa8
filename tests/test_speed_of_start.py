"""What the quick verbs import: no model library, so that they stay quick."""

import json
import subprocess
import sys

import pytest

FORBIDDEN = {"torch", "transformers", "peft", "datasets", "evaluate", "sklearn", "pyarrow"}
CODE = """
import json, sys
from bench.cli import main
sys.argv = ["bench", *sys.argv[1:]]
try:
    main()
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "command",
    ["--help", "--version", "list", "list --json", "eval --help", "chat --help", "show facts"],
)
def test_a_quick_verb_imports_no_model_or_data_library(command):
    done = subprocess.run(
        [sys.executable, "-c", CODE, *command.split()], capture_output=True, text=True, check=True
    )
    assert done.stdout
    assert not FORBIDDEN & set(json.loads(done.stderr.splitlines()[-1]))
