"""What the user asks for: choices, roles, and the settings file."""
