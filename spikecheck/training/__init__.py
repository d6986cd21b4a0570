"""Training of ensembles: loops, gradients, constrained and measured trainings."""
