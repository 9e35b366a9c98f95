"""The room of statements: from a client's text to data that says what is asked."""
