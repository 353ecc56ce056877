"""The audit trail: what happened, as PS3.15 A.5 messages, kept in a chain and sent to a collector.

The one place of Leadglass that names patients, because the standard obliges it to.
"""
