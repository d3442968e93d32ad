"""The columns of the edge graph: whose units stand in one, and the edges between them."""
