"""Plain data: what is found, what becomes of it, and what a run on a repository comes to."""
