"""What the command line and the pytest plugin share: laboratories, verifications, shards."""
