"""Terragrunt: units, the files that they generate, and edits of them."""
