"""What somebody agrees to, by the digest of what they looked at."""

from typing import Annotated

from msgspec import Meta

Digest = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-f]{64}$(?!\n)",
        description=(
            "`content_digest` of what you looked at: what you agree to is exactly that content. "
            "422 when it is no SHA-256; 409 `content_changed` when it is another's."
        ),
    ),
]
