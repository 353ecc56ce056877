"""Probes: one question a file, each a conversation without I/O that ends in evidence."""
