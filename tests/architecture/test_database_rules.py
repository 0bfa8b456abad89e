"""What no statement in the code may do, however well row-level security guards."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(path for folder in ("src", "migrations") for path in (ROOT / folder).rglob("*.py"))

# A rule, what breaks it, and the files that may.
# Trigrams, which every PostgreSQL brings along and the owner of a database may create.
_SEARCH = {"migrations/versions/0004_search.py"}
RULES = {
    "the tenant is set in one place": (r"set_config\(", {"src/adapters/postgres/connection.py"}),
    "and for one transaction only": (r"set_config\([^)]*,(?!\s*true)\s*[\w:]+\s*\)", set()),
    "nothing is set for a session": (r"(?i)\bSET\s+(SESSION\s+)?(app\.|TIME ZONE|ROLE|row_security)|SESSION AUTH", set()),
    "no extension is needed": (r"(?i)create\s+extension|pgcrypto|uuid-ossp|uuidv7\(|uuid_generate_v|gen_salt|digest\(.*'sha", _SEARCH),
    "statements are not built from text": (
        r"(?<!\.)\btext\(\s*(f[\"']|[\"'][^\"']*[\"']\s*[%+.])|exec_driver_sql|literal_column\(\s*f",
        # Names of roles, schemas and databases are no parameters.
        {"src/adapters/postgres/bootstrap.py"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_no_file_breaks_the_rule(rule: str) -> None:
    pattern, allowed = RULES[rule]

    found = {str(path.relative_to(ROOT)) for path in FILES if re.search(pattern, path.read_text(encoding="utf-8"))}

    assert found == allowed


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ("the tenant is set in one place", "text(\"SELECT set_config('app.tenant_id', :t, true)\")"),
        ("and for one transaction only", "text(\"SELECT set_config('app.tenant_id', :t, false)\")"),
        ("nothing is set for a session", "SET app.tenant_id = 'x'"),
        ("nothing is set for a session", "set session app.tenant_id to 'x'"),
        ("nothing is set for a session", "SET ROLE proffer_owner"),
        ("no extension is needed", 'op.execute("CREATE EXTENSION IF NOT EXISTS pgcrypto")'),
        ("no extension is needed", "DEFAULT uuidv7()"),
        ("no extension is needed", "DEFAULT uuid_generate_v4()"),
        ("statements are not built from text", "text(f\"SELECT * FROM quotes WHERE id = '{quote_id}'\")"),
        ("statements are not built from text", 'text("SELECT %s" % name)'),
        ("statements are not built from text", 'connection.exec_driver_sql("SELECT 1")'),
    ],
)
def test_a_broken_rule_is_seen(rule: str, fault: str) -> None:
    assert re.search(RULES[rule][0], fault)
