"""Checkouts, their history, and commits that do not touch the work tree."""
