"""Which files of a folder are a site's: what an earlier build wrote is removed, nothing else is.

Called by `bench.reporting.site.build`. A page of a model that was withdrawn would mislead, and a
folder of somebody's own files is no place for a site.

    site/.bench-site    index.html
                        task/topic.html ...
"""

from collections.abc import Iterable
from pathlib import Path

from bench.errors import RunError, write_remedy

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
        # It may have been edited: what is named there is removed, so it must lie in the folder.
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        return {
            line
            for line in lines
            if line and ".." not in Path(line).parts and not Path(line).anchor
        }
    try:
        foreign = folder.is_dir() and any(not _is_whole_page(one) for one in folder.iterdir())
    except OSError as error:
        raise RunError(f"{folder}: {error.strerror or error}", write_remedy(error)) from None
    if foreign:
        raise RunError(
            f"{folder}: holds files that are no part of a site", "choose a new folder with -o"
        )
    return set()


def refuse_foreign(page: Path) -> None:
    """Nothing, unless there is a page that no build wrote.

    Raises:
        RunError: there is.
    """
    if page.exists() and not _is_ours(page):
        raise RunError(f"{page}: bench did not write this page", "choose a new folder with -o")


def _is_whole_page(path: Path) -> bool:
    """Whether `path` is the one file that a build with --one-file wrote."""
    return path.name == "index.html" and _is_ours(path)


def _is_ours(page: Path) -> bool:
    try:
        with page.open("rb") as opened:
            return MADE_BY in opened.read(HEAD)
    except OSError:
        return False


def listed(addresses: Iterable[str]) -> bytes:
    """The content of the manifest."""
    return "".join(f"{address}\n" for address in sorted(addresses)).encode()


def remove(folder: Path, addresses: Iterable[str]) -> None:
    """Remove files of an earlier build, and the folders that they leave empty."""
    for address in addresses:
        path = folder / address
        if path.is_dir():
            continue
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise RunError(
                f"{path}: cannot be removed: {error.strerror or error}", write_remedy(error)
            ) from None
        for parent in path.relative_to(folder).parents:
            if (
                parent != Path()
                and (folder / parent).is_dir()
                and not any((folder / parent).iterdir())
            ):
                (folder / parent).rmdir()
