"""Figures about the code, on a text whose figures are known."""

from studies.shape import Shape

TEXT = '''
def one(a, b, c, d, e, f): return a


class Two:
    def three(self, a, b, c, d, e):
        """With a docstring."""

        def four():
            pass
'''


def test_lengths_and_parameters_are_counted() -> None:
    shape = Shape.of({"short.py": TEXT, "long.py": "x = 1\n" * 401})
    assert (shape.files, shape.functions, shape.longest, shape.median) == (2, 3, 5, 2)
    assert shape.crowded == 1
    assert shape.long_files == ("long.py",)
