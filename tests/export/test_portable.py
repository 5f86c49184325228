"""What leaves the machine: names and digests, but no place on it."""

from __future__ import annotations

import getpass
import io
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from exported import described
from networks_at_hand import at_hand

from explorer.export.formats import FORMATS, unavailable
from explorer.networks.graph.manifest import portable

PLACE = "/srv/peculiar-place"
PROVENANCE = {
    "network": {"source": f"{PLACE}/deep/net.pth", "digest": "0" * 64},
    "data": {"source": f"{PLACE}/x.npy,{PLACE}/y.npy"},
    "settings": {"plan": [f"{PLACE}/plan.json", "~/peculiar-place/b", "C:\\peculiar-place\\c.json"], "rate": 0.5},
}


def parts(content: bytes) -> Iterator[bytes]:
    """A file, and what lies in it where it is an archive."""
    yield content
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield name.encode()
                yield from parts(archive.read(name))


@pytest.mark.parametrize("name", FORMATS)
def test_no_file_tells_where_it_was_made(name: str) -> None:
    if reason := unavailable(FORMATS[name]):
        pytest.skip(reason)
    content = FORMATS[name].render(described(at_hand("plain"), provenance=PROVENANCE))
    places = {"peculiar-place", str(Path.home()) + "/", sys.prefix, tempfile.gettempdir() + "/", "site-packages"}
    here = Path(__file__).resolve().parents[2]
    for secret in (*places, str(here), f"/{getpass.getuser()}/"):
        assert not any(secret.encode() in part for part in parts(content)), secret


def test_of_whole_paths_only_the_last_name_stays() -> None:
    assert portable(PROVENANCE) == {
        "network": {"source": "net.pth", "digest": "0" * 64},
        "data": {"source": "x.npy,y.npy"},
        "settings": {"plan": ["plan.json", "b", "c.json"], "rate": 0.5},
    }
    for plain in ("demo", "torchvision:CIFAR10", "10 units by Taylor, layer-wise l2", "a/b", ""):
        assert portable(plain) == plain
