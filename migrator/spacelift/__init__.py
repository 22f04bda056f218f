"""What the tool knows of Spacelift."""
