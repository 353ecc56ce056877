"""What may be asked, of whom, how deep and when: rules in, permits out.

Pure: the moment and the addresses of names are arguments. This is the only package that makes a
``Permit``, and the only one that must: nothing else decides that a packet may leave.
"""
