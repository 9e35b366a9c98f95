"""Requests out, replies in: connections to an OpenAI-compatible endpoint, failures as EngineErrors.

It knows no prompts and makes no second try.
"""
