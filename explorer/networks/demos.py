"""The embedded demo, and the one before it, which is kept for what was saved on it."""

from __future__ import annotations

DEMO = "demo"
FIRST_DEMO = "demo-448"
FIRST_DEMO_DIGEST = "26c778fc03fc507e19d1d0a796aa2ff10bee37a2ebd7b04f02043e4b5f9a5a27"
DEMOS = {DEMO: "network.safetensors", FIRST_DEMO: "network-448.safetensors"}  # name -> file of the assets


def saved_source(where: str, digest: object) -> str:
    """Where a saved document has its network from: by "demo" it means the one before, if the digest is that one's."""
    return FIRST_DEMO if where == DEMO and digest == FIRST_DEMO_DIGEST else where
