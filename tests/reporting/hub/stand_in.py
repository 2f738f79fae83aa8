"""A stand-in for the Hub: the few endpoints that a push needs, over HTTP, so the real client runs.

Repositories are dictionaries of files. `org` may be written to with the token `hf_good`; `foreign`
may only be read. The address of a request decides what it is answered, as on the Hub.
"""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

GOOD = "hf_good"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
Files = dict[str, bytes]


class StandIn:
    """The state of the Hub: (kind, ORG/NAME) -> files; and what was asked of it, in order."""

    def __init__(self) -> None:
        self.address = ""
        self.repos: dict[tuple[str, str], Files] = {}
        self.asked: list[str] = []
        self.pull_requests: list[tuple[str, Files]] = []
        self.messages: list[str] = []
        self.sdk: dict[str, str] = {}
        self.broken = ""  # requests whose address holds this are answered with 400

    def create(self, content):
        """POST /api/repos/create."""
        repo, kind = f"{content['organization']}/{content['name']}", content.get("type", "model")
        if content["organization"] != "org":
            return 403, {"error": f"You don't have the rights to create a {kind} there"}
        if (kind, repo) in self.repos:
            return 409, {"error": "You already created this repo", "url": f"{self.address}/{repo}"}
        self.repos[kind, repo] = {}
        self.sdk[repo] = content.get("sdk", "")
        return 200, {"url": f"{self.address}/{repo}"}

    def commit(self, kind, repo, lines, pull_request):
        """POST /api/KINDs/REPO/commit/main: a header, then one operation a line."""
        if not repo.startswith("org/") and not pull_request:
            return 403, {"error": "Forbidden: you cannot write here"}
        files = dict(self.repos[kind, repo])
        for line in map(json.loads, lines):
            value = line["value"]
            if line["key"] == "header":
                self.messages.append(value["summary"])
            elif line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "deletedFile":
                del files[value["path"]]
        page = f"{self.address}/{'' if kind == 'model' else f'{kind}s/'}{repo}"
        answer = {"commitUrl": f"{page}/commit/{COMMIT}", "commitOid": COMMIT}
        if pull_request:
            self.pull_requests.append((repo, files))
            return 200, answer | {"pullRequestUrl": f"{page}/discussions/1"}
        self.repos[kind, repo] = files
        return 200, answer

    def files_of(self, files: Files):
        """GET /api/KINDs/REPO/tree/main."""
        return 200, [
            {"type": "file", "path": path, "size": len(content), "oid": oid(content)}
            for path, content in files.items()
        ]


def oid(content: bytes) -> str:
    """What git calls a file of this content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@contextmanager
def serve() -> Iterator[StandIn]:
    """The stand-in, while it answers at its `address`."""
    hub = StandIn()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(hub))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def answer(hub: StandIn, method: str, path: str, body: bytes, token: str):
    """(status, content) for a request."""
    path, _, query = path.partition("?")
    hub.asked.append(f"{method} {path}")
    if hub.broken and hub.broken in path:
        return 400, {"error": "the stand-in was told to refuse this"}
    if path == "/api/whoami-v2":
        return (200, {"name": "me"}) if token == GOOD else (401, {"error": "Invalid token"})
    if path == "/api/repos/create":
        return hub.create(json.loads(body))
    if path == "/api/validate-yaml":
        return 200, {"errors": [], "warnings": []}
    found = re.fullmatch(r"/api/(\w+)s/([\w.-]+/[\w.-]+)(?:/(\w+)/main)?", path)
    if found and (found[1], found[2]) in hub.repos:
        return in_repo(hub, *found.groups(), body, "create_pr=1" in query)
    resolved = re.fullmatch(rf"/([\w.-]+/[\w.-]+)/resolve/{COMMIT}/(.+)", path)
    if resolved and ("model", resolved[1]) in hub.repos:
        return 200, hub.repos["model", resolved[1]][resolved[2]]
    return 404, {"error": "Repository not found"}


def in_repo(hub: StandIn, kind: str, repo: str, verb: str | None, body: bytes, pull_request: bool):
    """Requests about one repository that is there."""
    files = hub.repos[kind, repo]
    if verb == "preupload":
        asked = [file["path"] for file in json.loads(body)["files"]]
        told = [{"path": path, "uploadMode": "regular", "shouldIgnore": False} for path in asked]
        for file in told:
            if file["path"] in files:
                file["oid"] = oid(files[file["path"]])
        return 200, {"files": told}
    if verb == "commit":
        return hub.commit(kind, repo, body.splitlines(), pull_request)
    if verb == "tree":
        return hub.files_of(files)
    return 200, {"id": repo, "sha": COMMIT, "siblings": [{"rfilename": path} for path in files]}


def handler(hub: StandIn) -> type[BaseHTTPRequestHandler]:
    """A handler of requests that asks `hub`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
            status, content = answer(hub, self.command, self.path, body, token)
            raw = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", f'"{oid(raw)}"')
            if status == 404:
                self.send_header("X-Error-Code", "RepoNotFound")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(raw)

        do_POST = do_HEAD = do_GET  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            """Not on the console of the tests."""

    return Handler
