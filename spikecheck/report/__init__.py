"""From verdicts to text; nothing else."""
