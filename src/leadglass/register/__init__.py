"""Who runs each imaging system, what may be open there, what was seen, and what is done about it."""
