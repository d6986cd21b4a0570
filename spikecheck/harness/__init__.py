"""The definition of a claim, and its verification."""
