"""Who signs is decided here, once: the table for people shows it, and AWS must trust its roles.

Both follow from the decisions, so no file is read again, and neither can say what the other does not.
"""
