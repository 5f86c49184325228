"""Kept documents with other content, as a version that knows of no damage would have written them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from explorer.core.documents import DIGEST, digest_of


def rewritten(content: bytes, parts: Mapping[str, Any]) -> bytes:
    """A document with other values of some of its fields, and the digest that then fits."""
    found = json.loads(content) | parts
    found.pop(DIGEST, None)
    plain = json.loads(json.dumps(found))
    return json.dumps({**plain, DIGEST: digest_of(plain)}).encode()
