"""An anchor of retention: what is signed, and how it is told."""

from datetime import date
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from src.domain.audit.chain import ChainHead
from src.domain.audit.verification import Verification
from src.domain.shared.ids import OrganizationId
from src.entrypoints.http.audit.schemas import VerificationResponse
from tests.builders.audit import SIGNER
from tests.builders.quotes import NOON

HERE = OrganizationId(uuid4())
ANCHOR = SIGNER.sign_anchor(HERE, ChainHead(48211, "a" * 64), 1200, date(2016, 11, 1), NOON)


def test_the_documented_lines_are_what_is_signed() -> None:
    lines = f"proffer-audit-anchor-1\n{HERE}\n48211\n{'a' * 64}\n1200\n2016-11\n2026-03-02T12:00:00.000000Z\n"
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(SIGNER.public_keys()[ANCHOR.key_id]))

    key.verify(bytes.fromhex(ANCHOR.signature), lines.encode())  # Raises InvalidSignature.

    assert ANCHOR.text == lines.encode()


def test_a_verification_tells_what_was_removed_and_under_which_signature() -> None:
    head = ChainHead(48300, "b" * 64)
    told = VerificationResponse.of(Verification(entries=89, head=head, total=48300, complete=True, anchor=ANCHOR))

    assert told.anchor is not None
    assert (told.anchor.sequence, told.anchor.hash, told.anchor.entries) == (48211, "a" * 64, 1200)
    assert (told.anchor.before, told.anchor.retained_at) == ("2016-11", NOON)
    assert (told.anchor.key_id, told.anchor.signature) == (ANCHOR.key_id, ANCHOR.signature)
    assert ANCHOR.sentence() == (
        "Entries 1 to 48211, of months before 2016-11, were removed by retention on 2026-03-02, as the key "
        f"{ANCHOR.key_id} has signed."
    )
