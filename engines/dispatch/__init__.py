"""Whose call is made next, how fast, how often, and what becomes of it: one dispatcher an engine.

It knows no HTTP and no prompts.
"""
