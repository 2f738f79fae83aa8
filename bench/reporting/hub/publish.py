"""The push to the Hub: what would go where, and then the one commit that brings it there.

Called by `bench board publish --to TARGET`. The token is found as huggingface_hub finds it
(HF_TOKEN, else `hf auth login`), and HF_ENDPOINT names another Hub.

    hf://spaces/org/board: 14 files, 812 kB
      index.html  61 kB
"""

import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from bench.counted import counted
from bench.errors import RunError
from bench.network import stay_offline_without_network
from bench.reporting.hub.refusal import client_errors, explained
from bench.reporting.hub.space import README, is_space
from bench.reporting.hub.target import Target

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

KEPT = ".gitattributes"  # says which files of a repository are large; the Hub wrote it


@dataclass(frozen=True, slots=True)
class Upload:
    """Files below `folder` on their way to `target`: (path in the repository, bytes)."""

    target: Target
    folder: Path
    files: tuple[tuple[str, int], ...]


def plan_upload(target: Target, folder: Path) -> Upload:
    """All files below `folder` but those of git.

    Raises:
        RunError: there are none, or a Space is wanted and `folder` is none.
    """
    paths = [path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file()]
    files = [path for path in paths if ".git" not in path.parts]
    if not files:
        raise RunError(f"{folder}: holds no files to push", f"bench board build -o {folder}")
    if target.kind == "space" and not is_space(folder):
        raise RunError(
            f"{folder / 'README.md'}: says nothing of a static Space",
            f"give the folder of the site: bench board publish --site SITE --to {target}",
        )
    return Upload(
        target, folder, tuple((path.as_posix(), (folder / path).stat().st_size) for path in files)
    )


def shown(upload: Upload) -> str:
    """What would be pushed where: for a dry run."""
    size = sum(size for _, size in upload.files)
    lines = [f"  {path}  {_size(size)}" for path, size in upload.files]
    return "\n".join([f"{upload.target}: {counted(len(lines), 'file')}, {_size(size)}", *lines])


def push(upload: Upload, message: str, mirror: bool = False, pull_request: bool = False) -> str:
    """Bring `upload` to its target in one commit; the address of the commit or pull request.

    Spaces and datasets that are not there are made; a model has to be there. `mirror` deletes what
    is in the repository and not in the folder. `pull_request` asks the owner to take the commit.

    Raises:
        RunError: no network, no token or one that may not write, no such repository, or the Hub
            refuses the commit. No file has changed there then.
    """
    target, api = upload.target, _api()
    try:
        api.whoami()
        if target.kind != "model" and not pull_request:
            sdk = "static" if target.kind == "space" else None
            api.create_repo(target.repo, repo_type=target.kind, space_sdk=sdk, exist_ok=True)
        commit = api.create_commit(
            target.repo,
            _operations(api, upload, mirror),
            commit_message=message,
            repo_type=target.kind,
            create_pr=pull_request,
        )
    except client_errors() as error:
        raise explained(target, error) from None
    return str(commit.pr_url or commit.commit_url)


def fetch_card(target: Target) -> str:
    """The README.md of a model on the Hub, "" where it has none.

    Raises:
        RunError: the model is not there or not open to the token, or there is no network.
    """
    api = _api()
    try:
        info = api.model_info(target.repo)
        if README not in [file.rfilename for file in info.siblings or []]:
            return ""
        with TemporaryDirectory() as folder:
            path = api.hf_hub_download(target.repo, README, revision=info.sha, local_dir=folder)
            return Path(path).read_text(encoding="utf-8")
    except client_errors() as error:
        raise explained(target, error) from None


def _api() -> "HfApi":
    stay_offline_without_network()
    from huggingface_hub import HfApi

    return HfApi(endpoint=os.environ.get("HF_ENDPOINT"))


def _operations(
    api: "HfApi", upload: Upload, mirror: bool
) -> "list[CommitOperationAdd | CommitOperationDelete]":
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    target, ours = upload.target, {path for path, _ in upload.files}
    there = api.list_repo_files(target.repo, repo_type=target.kind) if mirror else []
    return [
        *(CommitOperationAdd(path, upload.folder / path) for path in sorted(ours)),
        *(CommitOperationDelete(path) for path in there if path not in {KEPT, *ours}),
    ]


def _size(count: int) -> str:
    """A number of bytes for a reader."""
    return f"{count} bytes" if count < 1000 else f"{count / 1000:,.0f} kB"
