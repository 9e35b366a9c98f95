"""The embedded model: its file, its process, and the engine over it.

Nothing outside imports more of it than its handler.
"""
