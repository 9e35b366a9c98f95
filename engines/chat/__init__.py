"""What is asked of a chat model and what its reply means: templates, prompts, packs, tokens.

Pure: it sends nothing.
"""
