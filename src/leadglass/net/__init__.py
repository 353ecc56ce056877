"""The door to the network.

``dial`` opens a connection to a target, with a permit; ``engine`` runs conversations over such
connections; ``resolve`` asks DNS; ``services`` connects to what the operator configured by name.
"""
