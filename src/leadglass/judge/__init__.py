"""Evidence in, verdict out.

Pure: no clock, no network, no environment. What is known about products stands in
``knowledge/*.toml``, each row with its source; what follows from evidence stands in the rules.
``judge`` decides one endpoint and one host, ``web`` recognises products in HTTP answers, ``explain``
takes a published record apart again. Import the module you need; importing reads no file.
"""
