"""Models whose members are computed together: built-in ones and users' own modules."""
