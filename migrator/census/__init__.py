"""Every mention of AWS credentials in a repository, and an account of each."""
