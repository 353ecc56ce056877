"""Scanning: a scope becomes visits, visits become records.

``ids`` names a scan, ``run`` carries one out in this process.
"""
