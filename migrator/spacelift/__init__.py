"""Spacelift: stacks, hooks, attached resources, settings, and the inventory of an account."""
