"""What the site makes itself: the gallery, the report's fields, and docstrings as reST."""
