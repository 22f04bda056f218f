"""Where repositories come from, and where branches go."""
