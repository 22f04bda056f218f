"""Providers, backends, remote states, versions: what is found in Terraform's files, and edits of them."""
