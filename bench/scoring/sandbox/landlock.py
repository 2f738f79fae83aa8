"""Landlock: which files a process may open, which sockets and processes it may reach.

The sandboxed child shuts itself in before the model's program starts; no privilege is needed and
nothing can undo it. Constants are those of <linux/landlock.h>; see landlock(7).

>>> version() >= 1  # 0 where the kernel has no Landlock or it is switched off
True
"""

import ctypes
import errno
import os
import stat
import struct

from bench.scoring.sandbox.kernel import system_call

# The numbers are the same on every architecture.
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
QUERY_VERSION = 1
RULE_PATH_BENEATH = 1

WRITE_FILE, READ_FILE, READ_DIR = 1 << 1, 1 << 2, 1 << 3
REMOVE_FILE, MAKE_REG, TRUNCATE = 1 << 5, 1 << 8, 1 << 14
ON_FILES = WRITE_FILE | READ_FILE | TRUNCATE
READ = READ_FILE | READ_DIR
# No folders, links, sockets or devices: the folder stays flat, cheap to measure and to delete.
USE = READ | WRITE_FILE | REMOVE_FILE | MAKE_REG | TRUNCATE

# Every right that a version of Landlock knows is handled, so what no rule grants is refused.
RIGHTS_BY_VERSION = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
TCP_BIND_AND_CONNECT = 0b11  # since version 4
ABSTRACT_SOCKETS_AND_SIGNALS = 0b11  # since version 6


def version() -> int:
    """The kernel's Landlock ABI version, 0 where there is none."""
    try:
        return system_call(CREATE_RULESET, 0, 0, QUERY_VERSION)
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM):
            return 0
        raise


def restrict(
    readable: tuple[str, ...], listable: tuple[str, ...], writable: tuple[str, ...]
) -> None:
    """Refuse this process every file outside these; paths that do not exist are passed over.

    A path stands for all that lies beneath it; of the listable ones only names may be read.

    Raises:
        OSError: Landlock is missing or refuses the rules.
    """
    known = version()
    handled = max(rights for since, rights in RIGHTS_BY_VERSION.items() if since <= max(known, 1))
    network = TCP_BIND_AND_CONNECT if known >= 4 else 0
    scoped = ABSTRACT_SOCKETS_AND_SIGNALS if known >= 6 else 0
    size = 8 if known < 4 else 16 if known < 6 else 24
    attributes = ctypes.create_string_buffer(struct.pack("=QQQ", handled, network, scoped))
    rules = system_call(CREATE_RULESET, ctypes.addressof(attributes), size, 0)
    for paths, rights in ((readable, READ), (listable, READ_DIR), (writable, USE)):
        for path in paths:
            _allow(rules, path, rights & handled)
    system_call(RESTRICT_SELF, rules, 0)
    os.close(rules)


def _allow(rules: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
    if not stat.S_ISDIR(os.fstat(place).st_mode):
        rights &= ON_FILES  # on a file the kernel refuses a rule with rights over folders
    beneath = ctypes.create_string_buffer(struct.pack("=Qi", rights, place))
    system_call(ADD_RULE, rules, RULE_PATH_BENEATH, ctypes.addressof(beneath), 0)
    os.close(place)
