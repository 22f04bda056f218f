"""Facts about a repository that need more than one block; nothing in here changes anything."""
