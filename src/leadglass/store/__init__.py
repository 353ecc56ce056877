"""What was found, kept: the only folder that speaks SQL.

SQLAlchemy Core over SQLite or PostgreSQL, synchronous. Scans are appended and never altered, so
that "what changed since" is a question to the store.
"""
