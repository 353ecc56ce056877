"""Readers of other tools' files: who else saw which port open, and what they say of it.

Everything is streamed: a file of any size, a line without an end and a bomb in a gzip cost a few megabytes.
What a reader cannot use is told by line number, in our words, and the rest is used. Of what others recorded,
only words and numbers of known form are taken: their banners and pages may hold a patient's data.

Start at ``reading``; ``within`` keeps to a scope. No file is opened here.
"""
