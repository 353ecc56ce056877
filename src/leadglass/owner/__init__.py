"""Who runs an endpoint, and how sure that is: names and registries asked, candidates weighed, contacts in order.

``clues`` is what each source says, ``attribute`` what they say together, ``contacts`` whom to write to. Nothing
here asks anybody who was not named: DNS, registries and databases come in as arguments.
"""
