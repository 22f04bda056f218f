"""One repository from start to end: the rules, what is settled, and the outcome."""
