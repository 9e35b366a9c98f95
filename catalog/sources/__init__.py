"""Data sources: what a client attached, where its tables are, and how their rows come and go.

It knows how each kind of source is reached; which of its rows a statement needs it is told.
"""
