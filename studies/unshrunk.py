"""A plugin of pytest for tests of mutants: Hypothesis draws the same examples every time, and looks for no smaller one."""

import pytest


class Unshrunk:
    """That a test fails is enough; the smallest example of it would take longer than all others together."""

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self) -> None:
        """Load the profile, after conftest.py has loaded its own."""
        from hypothesis import Phase, settings  # noqa: PLC0415 - pytest wants to import its plugins itself

        settings.register_profile(
            "mutants", derandomize=True, database=None, phases=(Phase.explicit, Phase.generate), print_blob=False
        )
        settings.load_profile("mutants")
