"""A chain of hashes that shows any change to what was written down: shared by audit and register."""
