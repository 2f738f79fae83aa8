"""Why the Hub refused something, and what the user can do about it.

Called by `bench.reporting.hub.publish` for what huggingface_hub raises.

    hf://spaces/org/board: the token may not write there (HfHubHTTPError: 403 Forbidden ...)
      try: use a token that may, from https://huggingface.co/settings/tokens, or --pull-request
"""

from collections.abc import Mapping

from bench.errors import RunError
from bench.reporting.hub.target import Target

TOKENS = "https://huggingface.co/settings/tokens"
LOG_IN = f"hf auth login, or set HF_TOKEN to a token that may write ({TOKENS})"
OTHER_TOKEN = f"use a token that may write there ({TOKENS}), or ask the owner: --pull-request"
OTHER_NAME = "check the name and the kind; a model has to be on the Hub before its scores"
LATER = "run the same command again: nothing was changed there"
NETWORK = "check the network and HF_ENDPOINT, then run the same command again"

# Status of the answer -> what it means, what to do.
ANSWERS: Mapping[int, tuple[str, str]] = {
    401: ("the token is not valid", LOG_IN),
    402: ("the account cannot pay for this", OTHER_TOKEN),
    403: ("the token may not write there", OTHER_TOKEN),
    404: ("no such repository, or not open to this token", OTHER_NAME),
    409: ("another change came first", LATER),
    412: ("another change came first", LATER),
    429: ("too many requests", f"wait a few minutes, then {LATER}"),
}
UNREADABLE = ("a file cannot be read", LATER)
NO_NETWORK = ("the Hub is not in reach", NETWORK)
REFUSED = ("the Hub refuses it", "correct what it names, then run the same command again")
BROKEN = ("the Hub has an error of its own", LATER)


def client_errors() -> tuple[type[Exception], ...]:
    """What huggingface_hub raises where the Hub, the network or a file is at fault."""
    from huggingface_hub.errors import HfHubHTTPError

    transport = HfHubHTTPError.__bases__[0]  # of httpx or httpx2, whichever the client is built on
    return (OSError, ValueError, transport)


def explained(target: Target, error: Exception) -> RunError:
    """The error for the user, of one of `client_errors`."""
    from huggingface_hub.errors import LocalTokenNotFoundError

    if isinstance(error, LocalTokenNotFoundError):
        return RunError(f"{target}: there is no token to push with", LOG_IN)
    cause, remedy = _meaning(error)
    reason = " ".join(str(error).split())[:200]
    return RunError(f"{target}: {cause} ({type(error).__name__}: {reason})", remedy)


def _meaning(error: Exception) -> tuple[str, str]:
    from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

    if isinstance(error, RepositoryNotFoundError):  # answered with 401 where it is not open
        return ANSWERS[404]
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        return ANSWERS.get(status, BROKEN if status >= 500 else REFUSED)
    if isinstance(error, ValueError):
        return REFUSED
    local = isinstance(error, OSError) and not isinstance(error, ConnectionError | TimeoutError)
    return UNREADABLE if local else NO_NETWORK
