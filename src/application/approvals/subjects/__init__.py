"""The kinds of things that can be approved, one file for each."""
