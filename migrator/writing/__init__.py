"""Files replaced all together or not at all, diffs of them, and one run at a time."""
