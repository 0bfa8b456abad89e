"""The API of an installation: all controllers on one container."""

from collections.abc import Sequence

from dishka import AsyncContainer
from dishka.integrations.litestar import setup_dishka
from litestar import Litestar

from src.application.ports.security import Vault
from src.entrypoints.http.app import HttpSettings, create_app
from src.entrypoints.http.approvals.controller import ApprovalController, DelegationController, PolicyController
from src.entrypoints.http.attachments.controller import AttachmentController, SubjectAttachmentController
from src.entrypoints.http.audit.controller import AuditController
from src.entrypoints.http.catalog.controller import CategoryController, ProductController, TaxRateController
from src.entrypoints.http.customers.controller import ContactController, CustomerController
from src.entrypoints.http.downloads.controller import DownloadController
from src.entrypoints.http.exports.controller import ExportController
from src.entrypoints.http.exports.jobs import ExportJobController
from src.entrypoints.http.health import ReadinessCheck
from src.entrypoints.http.imports.controller import ImportController
from src.entrypoints.http.jobs.controller import JobController
from src.entrypoints.http.mail_templates.controller import MailTemplateController
from src.entrypoints.http.organization.controller import OrganizationController
from src.entrypoints.http.organization.custom_fields import CustomFieldController
from src.entrypoints.http.platform.controller import PlatformController
from src.entrypoints.http.platform.mail_reports import MailReportController
from src.entrypoints.http.prices.controller import (
    CouponController,
    CustomerGroupController,
    ExchangeRateController,
    PriceController,
)
from src.entrypoints.http.quotes.controller import QuoteController
from src.entrypoints.http.quotes.files import QuoteFileController
from src.entrypoints.http.reports.controller import ReportController
from src.entrypoints.http.request_limits import RequestLimiter
from src.entrypoints.http.session.controller import LoginController, ProviderLoginController, SessionController
from src.entrypoints.http.users.controller import ApiKeyController, UserController

CONTROLLERS = (
    LoginController,
    ProviderLoginController,
    SessionController,
    OrganizationController,
    CustomFieldController,
    MailTemplateController,
    UserController,
    ApiKeyController,
    PlatformController,
    MailReportController,
    CustomerController,
    ContactController,
    CustomerGroupController,
    ProductController,
    CategoryController,
    TaxRateController,
    PriceController,
    CouponController,
    ExchangeRateController,
    ImportController,
    QuoteController,
    QuoteFileController,
    PolicyController,
    ExportController,
    ExportJobController,
    SubjectAttachmentController,
    AttachmentController,
    DownloadController,
    ApprovalController,
    DelegationController,
    ReportController,
    AuditController,
    JobController,
)


async def create_api(
    container: AsyncContainer, settings: HttpSettings, checks: Sequence[ReadinessCheck] = ()
) -> Litestar:
    """The API. It leaves *container* open when it shuts down: who made it closes it."""
    vault = await container.get(Vault)
    limiter = await container.get(RequestLimiter)
    app = create_app(route_handlers=CONTROLLERS, settings=settings, vault=vault, limiter=limiter, checks=checks)
    setup_dishka(container, app)
    return app
