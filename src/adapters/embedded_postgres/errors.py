"""What keeps an embedded server from running."""


class EmbeddedPostgresError(Exception):
    """The message says what is wrong and what to do."""
