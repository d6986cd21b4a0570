"""Turns verdicts, maps, scorecards and logs into text, figures and files. Trains and judges nothing."""
