"""What a server's own configuration exposes: text in, findings and fixed text out.

``source`` is a file's text with its places, ``catalogue`` what is known of each rule, ``reading`` what a
reader makes of one file, ``together`` what several of them mean in common. Each product has a folder.
"""
