"""Takes static AWS credentials out of Terraform and puts Spacelift's OIDC token in their place."""

__version__ = "0.1.0"
