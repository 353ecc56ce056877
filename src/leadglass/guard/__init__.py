"""The gateway: stands before an archive, knows who asks, and lets through what the policy permits.

It speaks both sides of DICOM and DICOMweb and decides nothing: ``leadglass.access`` does.
"""
