"""What a claim is, and how it is verified."""
