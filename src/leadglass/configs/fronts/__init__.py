"""Configurations of the family fronts."""
