"""The room of plans: from a statement to pure data that says how to answer it."""
