"""A sandbox for Python programs that nobody has read: see `run.py`, which the scorers call.

run.py starts and judges · watch.py enforces the limits from outside · child.py shuts itself in and
runs the program · landlock.py, seccomp.py, kernel.py are the kernel's means to do so.
"""
