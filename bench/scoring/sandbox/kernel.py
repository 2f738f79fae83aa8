"""Raw Linux system calls that Python does not wrap, for `landlock.py` and `seccomp.py`.

Imported by the sandboxed child before anything else, so it imports little.

>>> system_call(39 if MACHINE == "x86_64" else 172) == os.getpid()
True
"""

import ctypes
import os
import signal
import struct

MACHINE = os.uname().machine
PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
CAPGET = {"x86_64": 125, "aarch64": 90}
CAPSET = {"x86_64": 126, "aarch64": 91}
CAPABILITY_VERSION_3 = 0x20080522
# Root may own no file of a Python installed by somebody else; reading stays Landlock's to bound.
CAP_DAC_READ_SEARCH = 1 << 2


def system_call(number: int, *arguments: int) -> int:
    """Call the kernel by number; pointers are passed as addresses.

    Raises:
        OSError: with the errno that the kernel gave.
    """
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    result = int(library.syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments)))
    return _checked(result)


def prctl(option: int, argument: int = 0, address: int = 0) -> int:
    """prctl(2); raises OSError with the errno that the kernel gave."""
    library = ctypes.CDLL(None, use_errno=True)
    rest = map(ctypes.c_ulong, (argument, address, 0, 0))
    return _checked(int(library.prctl(ctypes.c_int(option), *rest)))


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when the thread that started it ends."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the line above
        os._exit(1)


def give_up_privileges() -> None:
    """No new privileges through exec, and none of root's capabilities but reading files."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    header = ctypes.create_string_buffer(struct.pack("=Ii", CAPABILITY_VERSION_3, 0))
    sets = ctypes.create_string_buffer(24)  # effective, permitted, inheritable: low then high words
    where = ctypes.addressof(header), ctypes.addressof(sets)
    system_call(CAPGET[MACHINE], *where)
    kept = struct.unpack("=6I", sets.raw)[1] & CAP_DAC_READ_SEARCH
    sets.raw = struct.pack("=6I", kept, kept, 0, 0, 0, 0)
    system_call(CAPSET[MACHINE], *where)


def _checked(result: int) -> int:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
