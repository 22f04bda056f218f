"""Stack definitions: where each is, and what code it runs."""
