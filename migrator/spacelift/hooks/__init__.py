"""The hook, and the lists of hooks of stacks."""
