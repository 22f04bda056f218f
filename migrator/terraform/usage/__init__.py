"""What is declared, what refers to it, and what is left without use."""
