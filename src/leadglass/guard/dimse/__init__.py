"""The guard's DIMSE door: both associations of a client, and what may pass between them."""
