"""The dashboard and the API: pages and documents about what the other folders found.

Every route is declared through ``doors`` with the permission that it asks for. Handlers are plain
functions in threads and ask the store and the desks of ``ports.dashboard``; nothing here speaks SQL.
"""
