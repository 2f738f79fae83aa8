"""The built site on this machine, for a browser that does not open files: `bench board serve`."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bench.errors import RunError


def serve_site(folder: Path, port: int, tell: Callable[[str], None]) -> None:
    """Serve `folder` on 127.0.0.1 until interrupted; `tell` is told the address.

    Raises:
        RunError: there is no site in the folder, or the port is taken.
    """
    with open_server(folder, port) as server:
        tell(f"serving {folder}: http://127.0.0.1:{server.server_port}/ (^C stops)")
        with suppress(KeyboardInterrupt):
            server.serve_forever()


def open_server(folder: Path, port: int) -> ThreadingHTTPServer:
    """A server of `folder` that is not running yet; port 0 takes any that is free.

    Raises:
        RunError: there is no site in the folder, or the port is taken.
    """
    if not (folder / "index.html").is_file():
        raise RunError(
            f"{folder}: holds no index.html", f"build the site first: bench board build -o {folder}"
        )
    handler = partial(_Quiet, directory=str(folder))
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), handler)
    except (OSError, OverflowError) as error:
        raise RunError(
            f"port {port}: cannot be served on: {error}", "bench board serve --port 0"
        ) from None


class _Quiet(SimpleHTTPRequestHandler):
    """Files of one folder, without a line for each on the terminal."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
