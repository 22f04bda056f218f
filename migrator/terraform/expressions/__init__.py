"""What an expression comes to, as far as that is known without running anything."""
