"""Statements that change tables of data sources: what they mean, and how rows go there.

The rows that they write are those of a query like any other; the sources' words are the catalog's.
"""
