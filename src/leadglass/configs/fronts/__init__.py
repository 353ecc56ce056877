"""nginx and Apache httpd as the front of imaging servers: who is let through, to what, and where not asked.

``nginx_*`` and ``apache_*`` read one product each: ``syntax`` the text with its places, ``gates`` what a path asks of
its caller, ``ways`` which paths lead to which server, ``rules`` what is wrong with that, ``reader`` all of it for
one file. ``needs``, ``imaging``, ``patterns`` and ``ways`` are what both share.
"""
