"""HCL: blocks and attributes with their spans, edits, and the alignment of `terraform fmt`."""
