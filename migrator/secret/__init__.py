"""Secrets in texts: the names and shapes by which secrets are known, and the mask over them. See `mask`."""
