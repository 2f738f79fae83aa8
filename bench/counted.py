"""Numbers of things in English.

>>> counted(1, "task folder"), counted(0, "row")
('1 task folder', '0 rows')
"""


def counted(number: int, thing: str) -> str:
    """`number` and the plural of `thing`, which is made with an s, unless it is one."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
