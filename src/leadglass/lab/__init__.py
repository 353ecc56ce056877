"""Servers with known truth, on loopback only: what each of them is, is written beside it.

``personas`` is the table, ``dicom``, ``web``, ``broken`` and ``secure`` are their behaviour (bytes in,
bytes out, no I/O), ``fiction`` and ``archive`` the patients that nobody can mistake for real ones,
``papers`` their certificates, and ``serve`` the one place that listens.
"""
