"""A static Space: the files of the board's site beside a README.md that says how to serve them.

Called by `bench board publish --to hf://spaces/ORG/NAME`. The front matter follows
huggingface.co/docs/hub/spaces-config-reference:

    ---
    title: instruct-bench
    sdk: static
    app_file: index.html
    ---
"""

import shutil
from pathlib import Path

from bench.errors import RunError, UsageError
from bench.store import write_atomic

PAGE = "index.html"
README = "README.md"
SHORT = 60  # characters of a short description that the Hub takes
ABOUT = (
    "What RLHF did to models, task by task, with confidence intervals: the board of instruct-bench."
)


def write_space(
    site: Path, out: Path, title: str = "instruct-bench", description: str = ""
) -> Path:
    """Copy `site` to `out` with the README.md of a static Space; `out`.

    `out` is a new folder or an earlier Space, of which nothing stays. `description` is the line
    that the Hub shows beside the title.

    Raises:
        UsageError: `out` is another folder or lies in `site`, or the description is too long.
        RunError: `site` holds no index.html, or a file cannot be copied.
    """
    _check(site, out, description)
    body = f"# {title}\n\n{ABOUT}\n"
    try:
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(site, out, ignore=shutil.ignore_patterns(".git"))
    except OSError as error:
        raise RunError(f"{out}: cannot be written: {error}", "choose another folder") from None
    write_atomic(out / README, f"---\n{_front(title, description)}\n---\n\n{body}".encode())
    return out


def is_space(folder: Path) -> bool:
    """Whether `folder` holds a README.md whose front matter says that it is a static Space."""
    from huggingface_hub import RepoCard

    try:
        card = RepoCard((folder / README).read_text(encoding="utf-8"), ignore_metadata_errors=True)
    except (OSError, ValueError):
        return False
    return bool(card.data.get("sdk") == "static")


def _check(site: Path, out: Path, description: str) -> None:
    if not (site / PAGE).is_file():
        raise RunError(
            f"{site}: holds no {PAGE}", f"write the board there: bench board build -o {site}"
        )
    if out.resolve().is_relative_to(site.resolve()) or site.resolve().is_relative_to(out.resolve()):
        raise UsageError(f"{out}: lies in {site} or around it", "choose a folder beside it")
    if out.exists() and not is_space(out):
        raise UsageError(f"{out}: is there and is no Space", "choose a folder that is not there")
    if len(description) > SHORT:
        raise UsageError(
            f"description: found {len(description)} characters, the Hub takes {SHORT}",
            "shorten it",
        )


def _front(title: str, description: str) -> str:
    from huggingface_hub import SpaceCardData

    return SpaceCardData(
        title=title,
        emoji="📊",
        colorFrom="blue",
        colorTo="green",
        sdk="static",
        app_file=PAGE,
        pinned=False,
        tags=["leaderboard", "instruct-bench"],
        short_description=description or None,
    ).to_yaml()
