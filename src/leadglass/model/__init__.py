"""The nouns: frozen, without behaviour that touches anything.

``endpoint`` where and with whose leave, ``rung`` how deep, ``evidence`` what was seen,
``verdict`` what it means, ``record`` the line that is published. Import the module you need;
this package imports nothing, so that a scan worker does not load what it does not use.
"""
