"""Declarations, their references, and the declarations without a use."""
