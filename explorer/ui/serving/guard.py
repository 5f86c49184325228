"""The guard of an app that is served beyond this computer: no request comes in without its token, by any route."""

from __future__ import annotations

import hmac
from urllib.parse import urlencode

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from explorer.ui.work.address import RUN_ID, new_id
from explorer.ui.work.visitors import WORKSPACE_COOKIE

TOKEN = "token"
REFUSED = (
    "This app needs its token: open the address that it printed when it was started, which ends in ?token= "
    "and the token."
)
HEALTH = "/_stcore/health"  # says "ok" and no more; containers ask for it
YEAR = 365 * 24 * 60 * 60  # seconds
HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}


class Guard:
    """ASGI middleware: a token in the address becomes a cookie, and what comes without that cookie is refused."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on, welcome or refuse a request."""
        is_asked = scope["type"] in ("http", "websocket")
        await (self._answer(HTTPConnection(scope)) if is_asked else self._app)(scope, receive, send)

    def _answer(self, request: HTTPConnection) -> ASGIApp:
        plain = request.scope["type"] == "http"
        if plain and self._is_right(request.query_params.get(TOKEN, "")):
            return self._welcome(request)
        if self._is_right(request.cookies.get(_cookie(request), "")) or (plain and request.scope["path"] == HEALTH):
            return self._app
        return PlainTextResponse(REFUSED, 403, HEADERS) if plain else WebSocketClose(1008)

    def _is_right(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(), self._token.encode())

    def _welcome(self, request: HTTPConnection) -> Response:
        """Send the browser to the same address without the token; both cookies are out of reach of scripts."""
        rest = urlencode([(name, value) for name, value in request.query_params.multi_items() if name != TOKEN])
        place = "/" + request.scope["path"].lstrip("/") + (f"?{rest}" if rest else "")
        answer = RedirectResponse(place, 303, HEADERS)
        workspace = request.cookies.get(WORKSPACE_COOKIE, "")
        kept = {_cookie(request): self._token, WORKSPACE_COOKIE: workspace if RUN_ID.fullmatch(workspace) else new_id()}
        secure = request.scope["scheme"] == "https"
        for name, value in kept.items():
            lasts = YEAR if name == WORKSPACE_COOKIE else None
            answer.set_cookie(name, value, max_age=lasts, httponly=True, samesite="lax", secure=secure)
        return answer


def _cookie(request: HTTPConnection) -> str:
    """Browsers share cookies between all ports of a host, where other apps may listen."""
    _, port = request.scope["server"]
    return f"pruning-explorer-{port}"
