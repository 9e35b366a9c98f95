"""Fine-tuning without a network: rows to chats, their rules, jobs, what is said of them.

It uploads nothing and asks nobody; http/tuning.py does.
"""
