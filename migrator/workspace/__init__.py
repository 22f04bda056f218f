"""The files of a repository as documents, by module directory."""
