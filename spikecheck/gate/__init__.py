"""The regression gate: is training with this optimizer less stable than it was, or than with another?"""
