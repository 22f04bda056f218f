"""What a checkout holds, its history, and the commit beside the work tree."""
