"""The decisions about signers: the table for people shows the signers, and AWS must trust their roles.

Both follow from the decisions, so no file is read again, and they never contradict each other.
"""
