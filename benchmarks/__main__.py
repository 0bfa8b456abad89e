"""``make bench``: everything that is measured, one after another."""

import subprocess
import sys

BENCHMARKS = (
    "calculation",
    "http_api",
    "logins",
    "foreign_ids",
    "row_security",
    "export",
    "export_beside",
    "export_quotes",
    "export_job",
    "search",
    "import_rows",
    "audit",
    "approvals",
)

for name in BENCHMARKS:
    print(f"\n== {name}", flush=True)
    if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode != 0:
        sys.exit(f"The benchmark {name} failed.")
