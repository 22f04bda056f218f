"""Python: calls and their arguments with their spans, and edits."""
