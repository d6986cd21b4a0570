"""What is learned, by what model, and how well: an objective over the members of an ensemble, in torch."""
