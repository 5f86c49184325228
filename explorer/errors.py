"""The one error that a person caused and can mend."""


class BadInput(ValueError):
    """Input that breaks a rule; the message is one sentence naming the offending thing and the rule."""
