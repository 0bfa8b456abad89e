"""Signing the heads of audit chains, keeping them where the operator says, and reading what was archived."""

from src.adapters.audit_heads.ed25519_signer import Ed25519HeadSigner
from src.adapters.audit_heads.json_heads import head_of_json, json_of_head
from src.adapters.audit_heads.json_lines_archives import JsonLinesArchives
from src.adapters.audit_heads.stored_heads import StoredHeads

__all__ = ["Ed25519HeadSigner", "JsonLinesArchives", "StoredHeads", "head_of_json", "json_of_head"]
