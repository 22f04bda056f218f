"""Proofs that the stacks of a migrated branch sign in: offline, by trust policies, and by previews in Spacelift."""
