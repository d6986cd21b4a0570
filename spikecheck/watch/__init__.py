"""A user's own training: replayed, watched, explained."""
