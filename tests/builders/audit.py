"""Signing and verifying chains in tests."""

from src.adapters.audit_heads import Ed25519HeadSigner
from src.application.audit.verify_audit import VerifyAudit
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.application.transactions import Transactions

SIGNER = Ed25519HeadSigner([b"a seed of thirty-two bytes, tests"[:32]])
OTHER_SIGNER = Ed25519HeadSigner([b"another seed of thirty-two bytes."[:32]])


def verifying(open_uow: OpenUnitOfWork) -> VerifyAudit:
    return VerifyAudit(Transactions(open_uow), SIGNER)
