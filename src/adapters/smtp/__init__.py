"""E-mail: to a server, or into a folder where there is none."""

from src.adapters.smtp.eml_mailer import EmlMailer
from src.adapters.smtp.jinja_templates import JinjaMailTemplates
from src.adapters.smtp.report_reader import EmailReportReader
from src.adapters.smtp.settings import Security, SmtpSettings
from src.adapters.smtp.smtp_mailer import SmtpMailer

__all__ = ["EmailReportReader", "EmlMailer", "JinjaMailTemplates", "Security", "SmtpMailer", "SmtpSettings"]
