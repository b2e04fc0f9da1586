"""Settings for all tests."""

from hypothesis import settings

# Examples are timed on shared machines: a slow one is no failure.
settings.register_profile("fmau", deadline=None)
settings.load_profile("fmau")
