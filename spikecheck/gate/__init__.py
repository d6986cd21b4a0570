"""The regression gate: is training with this optimizer less stable than before, or than with another optimizer?"""
