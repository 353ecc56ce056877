"""Configurations of the family containers."""
