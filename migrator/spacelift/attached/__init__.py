"""The resources attached to stacks: contexts, integrations, variables."""
