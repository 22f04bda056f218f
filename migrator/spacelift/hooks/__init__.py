"""The hook, and the lists of hooks that it is put into."""
