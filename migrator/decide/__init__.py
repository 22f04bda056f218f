"""What is to become of what was found: facts, roles, hooks, and who signs in."""
