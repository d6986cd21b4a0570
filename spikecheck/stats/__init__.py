"""From numbers to statements: exact bounds, looks that are paid for, bootstrap intervals."""
