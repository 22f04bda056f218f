"""What is attached to stacks: contexts, integrations, variables."""
