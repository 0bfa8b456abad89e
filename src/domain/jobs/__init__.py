"""Work that follows a commit, as its organisation sees it."""
