"""Property tests draw the same examples every time and may be slow on a busy machine; ^C works."""

import signal

from hypothesis import settings

settings.register_profile("bench", deadline=None, derandomize=True)
settings.load_profile("bench")

# A shell that starts tests in the background has them ignore ^C, and what they start too.
signal.signal(signal.SIGINT, signal.default_int_handler)
