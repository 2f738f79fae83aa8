"""Property tests draw the same examples every time and may be slow on a busy machine."""

from hypothesis import settings

settings.register_profile("bench", deadline=None, derandomize=True)
settings.load_profile("bench")
