"""Decides who may do what with which study. Pure: identity, moment and attributes are arguments."""
