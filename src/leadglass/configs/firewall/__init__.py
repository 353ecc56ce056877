"""Rules that leave an imaging server to the peers it knows: a plan, its spellings, and what it would stop."""
