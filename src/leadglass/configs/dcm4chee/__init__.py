"""Configurations of the family dcm4chee."""
