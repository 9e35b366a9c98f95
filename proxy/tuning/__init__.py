"""Fine-tuning: a statement's rows made a job, the job looked after, a version made of it.

It asks engines/ through their Trainer, and keeps what it knows in catalog/tunings.py.
"""
