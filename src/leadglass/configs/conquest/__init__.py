"""Configurations of the family conquest."""
