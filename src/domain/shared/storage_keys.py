"""Where bytes lie in the storage: ``<organisation>/<kind>/<name>``. Nothing of it comes from whoever sent a file."""

from uuid import UUID

from src.domain.shared.ids import OrganizationId


def attachments_folder(organization_id: OrganizationId) -> str:
    return f"{organization_id}/attachments"


def attachment_key(organization_id: OrganizationId, attachment_id: UUID) -> str:
    return f"{attachments_folder(organization_id)}/{attachment_id}"


def document_key(organization_id: OrganizationId, sha256: str) -> str:
    """Of a PDF, by its content: whoever makes it again finds it."""
    return f"{organization_id}/documents/{sha256}.pdf"


def exports_folder(organization_id: OrganizationId) -> str:
    return f"{organization_id}/exports"


def export_key(organization_id: OrganizationId, export_id: UUID, attempt_id: UUID) -> str:
    """Each attempt has one of its own."""
    return f"{exports_folder(organization_id)}/{export_id}/{attempt_id}"


def logo_key(organization_id: OrganizationId, sha256: str) -> str:
    return f"{organization_id}/logos/{sha256}"


def import_key(organization_id: OrganizationId, import_id: UUID) -> str:
    return f"{organization_id}/imports/{import_id}"
