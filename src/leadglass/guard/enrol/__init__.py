"""Setting a guard up: its authority and certificates, its files, and what its clients are to be told.

Everything here makes bytes and texts out of arguments; ``wiring`` writes them down.
"""
