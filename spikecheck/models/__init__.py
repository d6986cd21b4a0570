"""Models whose members are computed together, and a user's own modules."""
