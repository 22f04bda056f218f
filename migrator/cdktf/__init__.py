"""CDKTF programs in Python: providers and backends in them, and edits of them."""
