"""The syntaxes that Terraform is written in: text to blocks with spans, and the edits that each can make."""
