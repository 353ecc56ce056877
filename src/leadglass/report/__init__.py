"""Records in, reports out: text, JSON Lines, CSV, HTML, SARIF.

``contract`` says what a report is told, ``writer`` makes one in any format; one file per format
beside them. Nothing here opens a file, reads a clock or prints: a text stream is passed in, and
what a peer wrote reaches it only through ``safe.visible`` or as escaped ASCII JSON.
"""
