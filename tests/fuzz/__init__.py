"""A coverage-guided fuzzer of everything that reads or edits a file: CONTRIBUTING says how to run it."""
