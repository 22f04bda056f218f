"""One repository from start to end: the rules, the decisions on all findings, and the outcome."""
