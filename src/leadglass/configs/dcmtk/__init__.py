"""Configurations of the family dcmtk."""
