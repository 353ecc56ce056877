"""Telling owners: what was seen of their servers, put into words of six languages, and as data for CSIRTs."""
