"""Random number generators derived from a member's seed."""

import hashlib
import json

import torch


def generator_of(seed: int, *decides: object) -> torch.Generator:
    """A CPU generator that depends on a seed and on `decides`: JSON values that name the purpose and size of the draw."""
    return torch.Generator().manual_seed(seed_of(seed, *decides))


def seed_of(seed: int, *decides: object) -> int:
    """The seed of `generator_of`'s generator, from 0 to 2**63 - 1."""
    text = json.dumps([seed, *decides], separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
