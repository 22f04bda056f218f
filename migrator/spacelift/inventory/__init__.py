"""What a Spacelift account holds, read through Spacelift's GraphQL interface and kept in a file without any value."""
