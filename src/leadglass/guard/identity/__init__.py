"""Believes persons or not: fetches the provider's keys, has passcodes compared, remembers for a moment.

What is believed is decided in ``leadglass.access``; here are the connections, threads and times of it.
"""
