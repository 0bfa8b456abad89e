"""The wiring: which adapter keeps which port, and every use case. Said once, for HTTP, the command line and the worker."""

from collections.abc import AsyncIterator
from typing import NewType

from dishka import AsyncContainer, Provider, Scope, make_async_container, provide, provide_all
from sqlalchemy.ext.asyncio import AsyncEngine

from src.adapters.audit_heads import Ed25519HeadSigner, JsonLinesArchives, StoredHeads
from src.adapters.documents import TypstQuoteRenderer, TypstSummaryRenderer, UblQuotationWriter
from src.adapters.postgres.addresses import DatabaseUrls
from src.adapters.postgres.audit import PostgresAuditPartitions
from src.adapters.postgres.directories import (
    PostgresAccountDirectory,
    PostgresMessageDirectory,
    PostgresOrganizationDirectory,
    PostgresThrottle,
)
from src.adapters.postgres.engine import make_engine
from src.adapters.postgres.unit_of_work import OpenPostgresUnitOfWork
from src.adapters.security import (
    Argon2Hasher,
    DerivedChallengeSecrets,
    JwtIssuer,
    KeyRing,
    ListedPasswords,
    SignedDownloadLinks,
    SignedEnvelopes,
    SystemVault,
    TotpCodes,
)
from src.adapters.smtp import EmailReportReader, EmlMailer, JinjaMailTemplates, SmtpMailer
from src.adapters.spreadsheets import FileSpreadsheets
from src.adapters.storage import storage_from
from src.adapters.system import SystemClock, TemporaryFiles, Uuid7Ids
from src.adapters.tabular import FileTabularReader
from src.adapters.tax_numbers import StdnumTaxNumbers
from src.application.approvals.comment_on_approval import CommentOnApproval
from src.application.approvals.decide_approval import DecideApproval, DecideRequest
from src.application.approvals.delegations import CreateDelegation, EndDelegation, ListDelegations
from src.application.approvals.mails import RunApprovalJob
from src.application.approvals.policies import ChangePolicy, CreatePolicy, GetPolicy, ListPolicies
from src.application.approvals.read_approvals import CountApprovals, GetApproval, ListApprovals, ListWaiting
from src.application.approvals.simulate_policy import GetSimulation, RunSimulation, SimulatePolicy
from src.application.approvals.subject import Subjects, known_subjects
from src.application.audit.read_audit import ListAuditEntries
from src.application.audit.retain_audit import RetainAudit
from src.application.audit.sign_heads import ListSignedHeads, SignAuditHead
from src.application.audit.verify_audit import VerifyArchive, VerifyAudit
from src.application.catalog.ask_prices import AskPrices
from src.application.catalog.categories import ChangeCategory, CreateCategory, GetCategory, ListCategories
from src.application.catalog.change_product import ChangeProduct
from src.application.catalog.coupons import ChangeCoupon, CreateCoupon, GetCoupon, ListCoupons
from src.application.catalog.create_product import CreateProduct
from src.application.catalog.exchange_rates import AddExchangeRates, ListExchangeRates
from src.application.catalog.import_catalog import GetImport, ListImports, RunImport, StartImport
from src.application.catalog.price_lists import ChangePriceList, CreatePriceList, GetPriceList, ListPriceLists
from src.application.catalog.read_products import GetProduct, ListProducts
from src.application.catalog.set_price import ListPrices, RemovePrice, SetPrice
from src.application.catalog.tax_rates import ChangeTaxRate, CreateTaxRate, DeleteTaxRate, GetTaxRate, ListTaxRates
from src.application.customers.change_contact import (
    ChangeContact,
    DeleteContact,
    EraseContact,
    ExportContact,
    MergeContacts,
    RestoreContact,
)
from src.application.customers.change_customer import (
    ChangeCustomer,
    DeleteCustomer,
    MergeCustomers,
    RestoreCustomer,
)
from src.application.customers.create_contact import CreateContact
from src.application.customers.create_customer import CreateCustomer
from src.application.customers.customer_groups import (
    ChangeCustomerGroup,
    CreateCustomerGroup,
    GetCustomerGroup,
    ListCustomerGroups,
    RegroupCustomer,
)
from src.application.customers.decide_customer import DecideCustomer, RegisterCustomerAgain
from src.application.customers.read_customers import (
    GetContact,
    GetCustomer,
    ListContacts,
    ListCustomers,
    ListReminders,
)
from src.application.documents.add_attachment import MIB, AddAttachment, AttachmentLimits
from src.application.documents.delete_old_exports import DeleteOldExports
from src.application.documents.erase_attachment import EraseAttachment, SweepAttachments
from src.application.documents.export_data import ExportData
from src.application.documents.export_writer import ExportWriter
from src.application.documents.exports import (
    EXPORT_LINK,
    CancelExport,
    GetExport,
    ListExports,
    MakeExportLink,
    RequestExport,
    find_export,
)
from src.application.documents.get_quote_document import GetQuoteDocument
from src.application.documents.get_sent_offer import GetQuotation, GetSentOffer
from src.application.documents.open_download import ATTACHMENT, DownloadKinds, OpenDownload, found_attachment
from src.application.documents.read_attachments import (
    DeleteAttachment,
    GetAttachment,
    LinkAttachment,
    ListAttachments,
    OpenAttachment,
)
from src.application.documents.run_export import RunExport
from src.application.identity.api_keys import CreateApiKey, ListApiKeys, RevokeApiKey
from src.application.identity.authenticate import Authenticate
from src.application.identity.change_organization import ChangeOrganization, GetLogo, RemoveLogo, SetLogo
from src.application.identity.create_organization import CreateOrganization
from src.application.identity.create_user import CreateUser
from src.application.identity.custom_fields import (
    ChangeCustomField,
    CreateCustomField,
    GetCustomField,
    ListCustomFields,
)
from src.application.identity.get_organization import DescribeActor, GetOrganization
from src.application.identity.limits import LoginLimits
from src.application.identity.log_in import LogIn, NextStep, RequestLoginCode, SecondFactors, VerifyLogin
from src.application.identity.mailed import RecordLoginFailure, SendChallenge
from src.application.identity.passwords import ChangePassword, NewPasswords, RequestPasswordReset, ResetPassword
from src.application.identity.platform import (
    AuthenticateOperator,
    CreateOperatorKey,
    ListOrganizations,
    RestoreOrganization,
    RevokeOperatorKeys,
    SuspendOrganization,
    VerifyDomains,
)
from src.application.identity.provider_login import (
    BeginProviderLogin,
    FinishProviderLogin,
    GetIdentityProvider,
    SetIdentityProvider,
)
from src.application.identity.second_factor import (
    BeginSecondFactor,
    ConfirmSecondFactor,
    RemoveSecondFactor,
    ResetSecondFactor,
)
from src.application.identity.sessions import EndSession, ListSessions, LogOut, RefreshSession, SessionOpener
from src.application.identity.users import (
    AcceptInvitation,
    ChangeUser,
    DeactivateUser,
    GetUser,
    InviteAgain,
    InviteUser,
    ListUsers,
    ReactivateUser,
)
from src.application.jobs.manage_jobs import CancelJob, ClearUpAfterJob, ReportProgress, RetryJob
from src.application.jobs.read_jobs import GetJob, ListJobs
from src.application.messaging.deliver_quote import DeliverQuote
from src.application.messaging.notices import TellOfFailedDelivery, TellOfFailedTemplate
from src.application.messaging.read_deliveries import GetDeliveries
from src.application.messaging.take_report import TakeDeliveryReport
from src.application.messaging.templates import (
    ChangeMailTemplate,
    CreateMailTemplate,
    GetMailTemplate,
    ListBuiltInTemplates,
    ListMailTemplates,
    PreviewMailTemplate,
    ResetMailTemplate,
)
from src.application.ports.audit import AuditArchives, AuditPartitions, HeadSigner, HeadStore
from src.application.ports.clock import Clock, IdFactory
from src.application.ports.documents import QuotationWriter, QuoteRenderer, SpreadsheetWriter
from src.application.ports.identity import AccountDirectory, OrganizationDirectory, Throttle
from src.application.ports.mail import Mailer, MailTemplates, ReportReader
from src.application.ports.messaging import MessageDirectory
from src.application.ports.oidc import ProviderClient
from src.application.ports.scratch import ScratchFiles
from src.application.ports.security import (
    ChallengeSecrets,
    CommonPasswords,
    DownloadLinks,
    Envelopes,
    OneTimeCodes,
    PasswordHasher,
    TokenIssuer,
    Vault,
)
from src.application.ports.storage import ObjectStorage
from src.application.ports.summaries import SummaryRenderer
from src.application.ports.tabular import TabularReader
from src.application.ports.tax_numbers import TaxNumbers
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.application.quoting.calculate_quote import CalculateQuote
from src.application.quoting.cancel_quote import CancelQuote
from src.application.quoting.compare_revisions import CompareRevisions
from src.application.quoting.create_quote import CreateQuote
from src.application.quoting.edit_quote import EditQuote
from src.application.quoting.expire_quote import ExpireQuote, RemindOfExpiry
from src.application.quoting.explain_quote import ExplainQuote
from src.application.quoting.preview_approval import PreviewApproval
from src.application.quoting.read_quotes import GetQuote, GetQuoteTimeline, ListQuotes
from src.application.quoting.recall_quote import RecallQuote
from src.application.quoting.reprice_quote import CheckQuotePrices, RepriceQuote
from src.application.quoting.resend_quote import ResendQuote
from src.application.quoting.revise_quote import ReviseQuote
from src.application.quoting.send_quote import SendQuote
from src.application.quoting.submit_quote import SubmitQuote
from src.application.reporting.revenue import ReportRevenue
from src.application.transactions import AuditedTransactions, Transactions
from src.entrypoints.settings import Settings

AppEngine = NewType("AppEngine", AsyncEngine)
OperatorEngine = NewType("OperatorEngine", AsyncEngine)


class UseCases(Provider):
    """What the system can do. Stateless, so one instance of each serves all."""

    scope = Scope.APP

    transactions = provide(AuditedTransactions, provides=Transactions)
    login = provide_all(
        Authenticate,
        LogIn,
        RequestLoginCode,
        VerifyLogin,
        SecondFactors,
        NextStep,
        SessionOpener,
        RefreshSession,
        LogOut,
        ListSessions,
        EndSession,
        NewPasswords,
        ChangePassword,
        RequestPasswordReset,
        ResetPassword,
        BeginSecondFactor,
        ConfirmSecondFactor,
        RemoveSecondFactor,
        ResetSecondFactor,
        SendChallenge,
        RecordLoginFailure,
        SetIdentityProvider,
        GetIdentityProvider,
        BeginProviderLogin,
        FinishProviderLogin,
    )
    people = provide_all(
        CreateUser,
        InviteUser,
        InviteAgain,
        AcceptInvitation,
        ListUsers,
        GetUser,
        ChangeUser,
        DeactivateUser,
        ReactivateUser,
        CreateApiKey,
        ListApiKeys,
        RevokeApiKey,
    )
    organizations = provide_all(
        CreateOrganization,
        GetOrganization,
        DescribeActor,
        ChangeOrganization,
        CreateCustomField,
        ChangeCustomField,
        GetCustomField,
        ListCustomFields,
        SetLogo,
        GetLogo,
        RemoveLogo,
        AuthenticateOperator,
        CreateOperatorKey,
        RevokeOperatorKeys,
        ListOrganizations,
        SuspendOrganization,
        RestoreOrganization,
        VerifyDomains,
    )
    customers = provide_all(
        CreateCustomer,
        GetCustomer,
        ListCustomers,
        RegroupCustomer,
        ChangeCustomer,
        DeleteCustomer,
        RestoreCustomer,
        MergeCustomers,
        DecideCustomer,
        RegisterCustomerAgain,
        CreateContact,
        ChangeContact,
        DeleteContact,
        RestoreContact,
        MergeContacts,
        ExportContact,
        EraseContact,
        ListReminders,
        GetContact,
        ListContacts,
        CreateCustomerGroup,
        ChangeCustomerGroup,
        GetCustomerGroup,
        ListCustomerGroups,
    )
    catalog = provide_all(
        CreateProduct,
        ChangeProduct,
        GetProduct,
        ListProducts,
        CreateCategory,
        ChangeCategory,
        GetCategory,
        ListCategories,
        CreateTaxRate,
        ChangeTaxRate,
        DeleteTaxRate,
        GetTaxRate,
        ListTaxRates,
    )
    prices = provide_all(
        CreatePriceList,
        ChangePriceList,
        GetPriceList,
        ListPriceLists,
        SetPrice,
        RemovePrice,
        ListPrices,
        AskPrices,
        CreateCoupon,
        ChangeCoupon,
        GetCoupon,
        ListCoupons,
        AddExchangeRates,
        ListExchangeRates,
        StartImport,
        RunImport,
        GetImport,
        ListImports,
    )
    quoting = provide_all(
        CalculateQuote,
        CreateQuote,
        EditQuote,
        RepriceQuote,
        CheckQuotePrices,
        ExplainQuote,
        SubmitQuote,
        RecallQuote,
        ReviseQuote,
        SendQuote,
        ResendQuote,
        CancelQuote,
        ExpireQuote,
        RemindOfExpiry,
        GetQuote,
        ListQuotes,
        GetQuoteTimeline,
        CompareRevisions,
    )
    approvals = provide_all(
        CreatePolicy,
        ChangePolicy,
        GetPolicy,
        ListPolicies,
        SimulatePolicy,
        RunSimulation,
        GetSimulation,
        PreviewApproval,
        DecideApproval,
        DecideRequest,
        CommentOnApproval,
        ListApprovals,
        GetApproval,
        ListWaiting,
        CountApprovals,
        CreateDelegation,
        EndDelegation,
        ListDelegations,
        RunApprovalJob,
    )

    @provide
    def subjects(self) -> Subjects:
        return known_subjects()

    documents = provide_all(
        GetQuoteDocument,
        GetSentOffer,
        GetQuotation,
        DeliverQuote,
        TellOfFailedDelivery,
        TellOfFailedTemplate,
        CreateMailTemplate,
        ChangeMailTemplate,
        ResetMailTemplate,
        GetMailTemplate,
        ListMailTemplates,
        ListBuiltInTemplates,
        PreviewMailTemplate,
        GetDeliveries,
        TakeDeliveryReport,
        AddAttachment,
        ListAttachments,
        GetAttachment,
        OpenAttachment,
        LinkAttachment,
        DeleteAttachment,
        EraseAttachment,
        SweepAttachments,
        OpenDownload,
        ExportWriter,
        ExportData,
        RequestExport,
        GetExport,
        ListExports,
        CancelExport,
        MakeExportLink,
        RunExport,
        DeleteOldExports,
    )

    @provide
    def download_kinds(self) -> DownloadKinds:
        return DownloadKinds({ATTACHMENT: found_attachment, EXPORT_LINK: find_export})

    reporting = provide_all(ReportRevenue)
    audit = provide_all(ListAuditEntries, VerifyAudit, VerifyArchive, SignAuditHead, ListSignedHeads, RetainAudit)
    jobs = provide_all(ListJobs, GetJob, RetryJob, CancelJob, ClearUpAfterJob, ReportProgress)


class Outside(Provider):
    """Everything but the store: time, secrets, documents, files and mail."""

    scope = Scope.APP

    clock = provide(SystemClock, provides=Clock)
    ids = provide(Uuid7Ids, provides=IdFactory)
    spreadsheets = provide(FileSpreadsheets, provides=SpreadsheetWriter)
    tables = provide(FileTabularReader, provides=TabularReader)
    archives = provide(JsonLinesArchives, provides=AuditArchives)
    renderer = provide(TypstQuoteRenderer, provides=QuoteRenderer)
    summaries = provide(TypstSummaryRenderer, provides=SummaryRenderer)
    quotations = provide(UblQuotationWriter, provides=QuotationWriter)
    common_passwords = provide(ListedPasswords, provides=CommonPasswords)
    tax_numbers = provide(StdnumTaxNumbers, provides=TaxNumbers)
    reports = provide(EmailReportReader, provides=ReportReader)
    one_time_codes = provide(TotpCodes, provides=OneTimeCodes)

    @provide
    def templates(self, settings: Settings) -> MailTemplates:
        return JinjaMailTemplates(settings.account_page, settings.approvals_page)

    @provide
    def key_ring(self, settings: Settings) -> KeyRing:
        return KeyRing((settings.secret_key, *settings.previous_secret_keys))

    @provide
    def login_limits(self, settings: Settings) -> LoginLimits:
        return LoginLimits(per_address=settings.logins_per_address)

    @provide
    def attachment_limits(self, settings: Settings) -> AttachmentLimits:
        return AttachmentLimits(
            largest=settings.largest_attachment * MIB,
            quota=settings.attachment_quota * MIB,
            per_subject=settings.attachments_per_subject,
        )

    @provide
    def challenge_secrets(self, ring: KeyRing) -> ChallengeSecrets:
        return DerivedChallengeSecrets(ring)

    @provide
    def download_links(self, ring: KeyRing) -> DownloadLinks:
        return SignedDownloadLinks(ring)

    @provide
    def envelopes(self, ring: KeyRing) -> Envelopes:
        return SignedEnvelopes(ring)

    @provide
    def vault(self, ring: KeyRing) -> Vault:
        return SystemVault(ring)

    @provide
    def hasher(self) -> PasswordHasher:
        return Argon2Hasher()

    @provide
    def tokens(self, ring: KeyRing, ids: IdFactory) -> TokenIssuer:
        return JwtIssuer(ring, ids)

    @provide
    def provider_client(self, settings: Settings) -> ProviderClient:
        from src.adapters.oidc import (
            AuthlibProviderClient,  # A tenth of the start of a command, for what only logins need.
        )

        return AuthlibProviderClient(settings.private_networks)

    @provide
    def scratch(self, settings: Settings) -> ScratchFiles:
        return TemporaryFiles(settings.home / "scratch")

    @provide
    def storage(self, settings: Settings) -> ObjectStorage:
        return storage_from(settings.storage_url)

    @provide
    def head_signer(self, ring: KeyRing) -> HeadSigner:
        return Ed25519HeadSigner([key.material for key in ring.keys("audit heads")])

    @provide
    def head_store(self, settings: Settings) -> HeadStore:
        return StoredHeads(storage_from(settings.audit_heads_url))

    @provide
    def mailer(self, settings: Settings) -> Mailer:
        if settings.smtp is None:
            return EmlMailer(settings.home / "mail", sender_address=settings.mail_from)
        return SmtpMailer(settings.smtp)


class PostgresStore(Provider):
    """The store, with one pool for each database role."""

    scope = Scope.APP

    @provide
    async def app_engine(self, urls: DatabaseUrls, settings: Settings) -> AsyncIterator[AppEngine]:
        engine = make_engine(urls.app, pool_size=settings.pool_size)
        yield AppEngine(engine)
        await engine.dispose()

    @provide
    async def operator_engine(self, urls: DatabaseUrls) -> AsyncIterator[OperatorEngine]:
        engine = make_engine(urls.operator, pool_size=1)
        yield OperatorEngine(engine)
        await engine.dispose()

    @provide
    def directory(self, app: AppEngine) -> AccountDirectory:
        return PostgresAccountDirectory(app)

    @provide
    def throttle(self, app: AppEngine) -> Throttle:
        return PostgresThrottle(app)

    @provide
    def organizations(self, operator: OperatorEngine) -> OrganizationDirectory:
        return PostgresOrganizationDirectory(operator)

    @provide
    def messages(self, operator: OperatorEngine) -> MessageDirectory:
        return PostgresMessageDirectory(operator)

    @provide
    def audit_partitions(self, operator: OperatorEngine) -> AuditPartitions:
        return PostgresAuditPartitions(operator)

    @provide
    def open_unit_of_work(self, app: AppEngine, operator: OperatorEngine) -> OpenUnitOfWork:
        return OpenPostgresUnitOfWork(app, operator)


def make_container(settings: Settings, urls: DatabaseUrls, *more: Provider) -> AsyncContainer:
    """The container of a process. Closing it disposes of the pools."""
    given = Provider(scope=Scope.APP)
    given.provide(lambda: settings, provides=Settings)
    given.provide(lambda: urls, provides=DatabaseUrls)
    return make_async_container(given, Outside(), PostgresStore(), UseCases(), *more)
