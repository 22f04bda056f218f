"""The evaluation of expressions, as far as possible without running Terraform."""
