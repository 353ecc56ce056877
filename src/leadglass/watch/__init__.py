"""Looks again and again: when something is due, what is otherwise than last time, who has to hear of it.

Values in, values out: the clock, the store and the channels are ``wiring``'s.
"""
