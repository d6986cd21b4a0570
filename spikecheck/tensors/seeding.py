"""From a member's seed to its random numbers."""

import hashlib
import json

import torch


def generator_of(seed: int, *decides: object) -> torch.Generator:
    """A generator on the CPU that belongs to a seed and to what decides how many numbers are drawn: JSON values."""
    return torch.Generator().manual_seed(seed_of(seed, *decides))


def seed_of(seed: int, *decides: object) -> int:
    """The seed, from 0 to 2**63 - 1, of such a generator."""
    text = json.dumps([seed, *decides], separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
