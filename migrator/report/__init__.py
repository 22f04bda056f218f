"""Results of runs -> text."""
