"""What ``make run`` prints when everything works."""

from src.domain.identity.actor import Role
from src.entrypoints.demo import EMAILS, PASSWORD
from src.entrypoints.settings import Settings


def welcome(settings: Settings) -> str:
    """The address of the docs, the demonstration's credentials and three commands to try."""
    url = settings.public_url
    users = "\n".join(f"    {role.value:<9} {EMAILS[role]}" for role in Role)
    where = settings.home / "mail" if settings.smtp is None else settings.smtp.host
    return f"""
  Proffer is running.

  Documentation   {url}/docs
  Health          {url}/health/ready
  Mail goes to    {where}

  Demonstration organisation: password {PASSWORD}
{users}

  Try, in another terminal:

    # 1. Price a request for quotation; needs no database.
    .venv/bin/proffer quote price examples/office-fitout-eur.json

    # 2. Log in, and list the products.
    TOKEN=$(curl -s {url}/api/v1/login -H 'content-type: application/json' \\
      -d '{{"email":"{EMAILS[Role.SALES]}","password":"{PASSWORD}"}}' \\
      | python3 -c 'import json,sys; print(json.load(sys.stdin)["access_token"])')
    curl -s '{url}/api/v1/products?limit=3' -H "authorization: Bearer $TOKEN"

    # 3. List the offers of the demonstration.
    .venv/bin/proffer quote list --as {EMAILS[Role.SALES]}

  Ctrl-C stops everything; the data stays under {settings.home.name}/.
"""
