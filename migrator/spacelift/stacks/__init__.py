"""Definitions of stacks, and the code that each stack runs."""
