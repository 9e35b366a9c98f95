"""What predictions cost: accounts of statements, budgets, and what the client is shown of them.

It makes no call and reads no rows.
"""
