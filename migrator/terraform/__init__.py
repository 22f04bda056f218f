"""Terraform's files: their providers, backends, remote states and version constraints, and the edits of these."""
