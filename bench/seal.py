"""The digest by which a JSON file tells that it was edited; it stands in the file itself.

>>> content = {"model": "sft", "seal": ""}
>>> seal_of(content, "seal") == seal_of({**content, "seal": "of before"}, "seal")
True
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def seal_of(content: Mapping[str, Any], key: str) -> str:
    """sha256 over the canonical JSON of all keys but `key`, under which the seal stands."""
    bare = {name: value for name, value in content.items() if name != key}
    text = json.dumps(bare, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
