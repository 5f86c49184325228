"""The one error that the user caused and can mend."""

import re

from explorer.core.text import one_line

ENDLESS = re.compile(r"[^\s/]{256,}")  # longer than any file name, so it is cut


class BadInput(ValueError):
    """Input that breaks a rule; the message is one sentence, on one line, naming the offending thing and the rule."""

    def __init__(self, message: str) -> None:
        super().__init__(ENDLESS.sub(lambda found: f"{found[0][:60]}...", one_line(message)))


class Outdated(BadInput):
    """What was right when it was asked for, and is not any more: something has changed meanwhile."""
