"""The schema's history: tables, roles' rights, row-level security."""
