"""The one error that a person caused and can mend."""

from explorer.core.text import one_line


class BadInput(ValueError):
    """Input that breaks a rule; the message is one sentence, on one line, naming the offending thing and the rule."""

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))
