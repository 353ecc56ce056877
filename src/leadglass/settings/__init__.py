"""Validated options: the shapes of the files people write, before anything is decided from them.

Only types, keys and spellings are checked here; what the values mean together is the business of
the layer that uses them. Nothing here reads a file.
"""
