"""Settings of Spacelift that hand static AWS credentials to runs."""
