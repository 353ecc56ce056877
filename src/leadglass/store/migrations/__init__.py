"""How the database came to its schema, for Alembic: one file in ``versions`` for each step."""
