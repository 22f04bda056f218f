"""Who signs in a root module before the migration and after: the table for people, and the roles that AWS must trust.

Both follow from the decisions, so no file is read again, and neither can say what the other does not.
"""
