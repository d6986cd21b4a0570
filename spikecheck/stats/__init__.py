"""Statistics of a verdict: exact bounds, intervals for averages, and levels corrected for repeated looks."""
