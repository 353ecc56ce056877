"""The guard's DICOMweb door (PS3.18): QIDO-RS, WADO-RS, WADO-URI and STOW-RS, and UPS-RS where it is allowed.

Everything that a client sends is read by a grammar and written anew; what no grammar here knows goes no
further. ``paths``, ``parameters``, ``headers``, ``query``, ``stow`` and ``relay`` do no input or output.
"""
