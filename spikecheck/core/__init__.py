"""The vocabulary: settings, recipes, runs, verdicts, events and errors. Nothing here imports torch."""
