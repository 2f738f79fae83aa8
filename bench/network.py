"""Is the Hugging Face Hub in reach? Without a network its client retries for half a minute.

Data (`registry/data.py`) and weights (`models/weights.py`) call this before they ask the Hub, so
that a copy in the local cache is used at once, or its absence reported at once.
"""

import os
import socket
import sys
from urllib.parse import urlparse

DEFAULT = "https://huggingface.co"
PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
# Where the clients keep the setting that they read from the environment when they are imported.
SETTINGS = ("huggingface_hub.constants", "datasets.config")


def stay_offline_without_network() -> None:
    """Put the Hub's clients into offline mode if its host has no address.

    Behind a proxy names are resolved elsewhere, so nothing is concluded there.
    """
    host = urlparse(os.environ.get("HF_ENDPOINT", DEFAULT)).hostname
    if any(os.environ.get(name) for name in PROXIES) or host is None:
        return
    try:
        socket.getaddrinfo(host, 443)
    except OSError:
        os.environ["HF_HUB_OFFLINE"] = "1"
        for name in SETTINGS:
            if name in sys.modules:
                vars(sys.modules[name])["HF_HUB_OFFLINE"] = True
