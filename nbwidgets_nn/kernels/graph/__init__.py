"""The graph of a network's units: what reads what, held as small tables, and the sums over it."""
