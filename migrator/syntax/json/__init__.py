"""Terraform's JSON: blocks and attributes with their spans, and edits."""
