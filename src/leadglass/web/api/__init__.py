"""The API: routes under /api/v1."""
