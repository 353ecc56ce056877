"""Configurations of the family orthanc."""
