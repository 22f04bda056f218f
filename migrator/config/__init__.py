"""The user's options: choices, roles, and the settings file."""
