"""The explorer: what it shows of a layer and of a recording, and how its widgets are joined."""
