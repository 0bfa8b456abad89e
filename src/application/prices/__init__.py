"""What something costs: one answer for drafts, previews, imports and jobs."""
