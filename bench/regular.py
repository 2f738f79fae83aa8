"""Files that end: a link to a device or a pipe would be read for ever.

Called where a task's files are opened, `task.yaml` and rows.

>>> check_regular(Path("/dev/zero"), BenchError)
Traceback (most recent call last):
    ...
bench.errors.BenchError: /dev/zero: is a device or a pipe, expected a file
  try: put a file there
"""

from pathlib import Path

from bench.errors import BenchError


def check_regular(path: Path, fault: type[BenchError]) -> None:
    """Refuse what is there and is no file; folders and what is missing are told by who opens them.

    Raises:
        fault: a device, a pipe or a socket, also behind a link.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        raise fault(f"{path}: is a device or a pipe, expected a file", "put a file there")
