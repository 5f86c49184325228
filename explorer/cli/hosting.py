"""Hosting: the names under which the app may be asked for, and the token that others than its owner need."""

from __future__ import annotations

import ipaddress
import re
import secrets
import socket
from collections.abc import Iterable, Sequence

from explorer.core.errors import BadInput

LOCAL = ("localhost", "127.0.0.1")
NAME = re.compile(r"(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?")
TOKEN = re.compile(r"[A-Za-z0-9_-]{12,200}")


def hosts(host: str, allowed: Sequence[str] = ()) -> list[str]:
    """The names under which a browser may ask for the app: any other is refused, which stops DNS rebinding.

    allowed: names beside those of the address; raises BadInput for what is none.
    """
    for name in allowed:
        if not NAME.fullmatch(name) and not _address(name):
            raise BadInput(f"--allow-host {name!r} is not a host name: give one such as lab.example or *.lab.example.")
    own = [] if host in LOCAL else [host, *(_own_names() if _is_everywhere(host) else [])]
    return list(dict.fromkeys([*LOCAL, *own, *allowed]))


def token_for(names: Iterable[str], chosen: str | None) -> str:
    """The token that visitors need: the chosen one, or a new one where a name is not this computer's alone; else "".

    Raises BadInput for one that is easily guessed, or that can't stand in an address.
    """
    if chosen is not None and not TOKEN.fullmatch(chosen):
        raise BadInput("--token has to be 12 to 200 letters, digits, - and _; without it the app makes one.")
    return chosen or ("" if are_own(names) else secrets.token_urlsafe(24))


def are_own(names: Iterable[str]) -> bool:
    """Whether all names are this computer's alone."""
    return all(map(_is_loopback, names))


def address(host: str, port: int, token: str) -> str:
    """The address for visitors, with the token in it."""
    name = socket.gethostname() if _is_everywhere(host) else host
    return f"http://{f'[{name}]' if ':' in name else name}:{port}/?token={token}"


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _is_loopback(name: str) -> bool:
    address = _address(name)
    return name in LOCAL or (address is not None and address.is_loopback)


def _is_everywhere(host: str) -> bool:
    address = _address(host)
    return address is not None and address.is_unspecified


def _own_names() -> list[str]:
    name = socket.gethostname()
    try:
        addresses = sorted({str(info[4][0]) for info in socket.getaddrinfo(name, None)})
    except OSError:
        addresses = []
    return [name, socket.getfqdn(name), *addresses]
