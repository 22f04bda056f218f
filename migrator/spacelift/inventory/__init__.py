"""The content of a Spacelift account, read by Spacelift's GraphQL API and kept in a file without any value."""
