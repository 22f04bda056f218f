"""YAML: nodes with their spans, and edits that keep everything else."""
