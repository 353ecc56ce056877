"""From counts to estimates with their uncertainty: how many there are, and how sure that is.

Pure: what chance decides is an argument, and so are the lines of a file.
"""
