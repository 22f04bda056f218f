"""Writing files all together or not at all, diffs of the files, and a lock for one run at a time."""
