"""Which files of a folder are a site's: what an earlier build wrote is removed, nothing else is.

Called by `bench.reporting.site.build`. A page of a model that was withdrawn would mislead, and a
folder of somebody's own files is no place for a site.

    site/.bench-site    index.html
                        task/topic.html ...
"""

from collections.abc import Iterable
from pathlib import Path

from bench.errors import RunError

MANIFEST = ".bench-site"
MADE_BY = b'<meta name="generator" content="instruct-bench">'  # in the head of every page
HEAD = 4096  # bytes that hold it


def earlier(folder: Path) -> set[str]:
    """The addresses that an earlier build wrote into `folder`; none where it is new or empty.

    Raises:
        RunError: there are files, and no build has written there.
    """
    path = folder / MANIFEST
    if path.is_file():
        return set(path.read_text(encoding="utf-8").splitlines())
    if folder.is_dir() and any(folder.iterdir()):
        raise RunError(
            f"{folder}: holds files that bench did not write", "choose a new folder with -o"
        )
    return set()


def refuse_foreign(page: Path) -> None:
    """Nothing, unless there is a page that no build wrote.

    Raises:
        RunError: there is.
    """
    if not page.exists():
        return
    try:
        with page.open("rb") as opened:
            ours = MADE_BY in opened.read(HEAD)
    except OSError:
        ours = False
    if not ours:
        raise RunError(f"{page}: bench did not write this page", "choose a new folder with -o")


def listed(addresses: Iterable[str]) -> bytes:
    """The content of the manifest."""
    return "".join(f"{address}\n" for address in sorted(addresses)).encode()


def remove(folder: Path, addresses: Iterable[str]) -> None:
    """Remove files of an earlier build, and the folders that they leave empty."""
    for address in addresses:
        path = folder / address
        path.unlink(missing_ok=True)
        for parent in path.relative_to(folder).parents:
            if (
                parent != Path()
                and (folder / parent).is_dir()
                and not any((folder / parent).iterdir())
            ):
                (folder / parent).rmdir()
