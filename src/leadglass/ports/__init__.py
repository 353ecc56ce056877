"""Contracts between layers that may not import each other.

``conversation`` is what a probe promises the engine; ``world`` is the clock, the randomness
and the resolver, which only ``wiring`` binds to real ones.
"""
