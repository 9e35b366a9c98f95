"""What data sources say of their tables, as rows of information_schema.

It asks through catalog/sources alone, and knows no kind of source.
"""
