"""Seccomp: the system calls a sandboxed program may make; every other one fails with EPERM.

An allowlist of what CPython and glibc or musl need to compute, read and write open files and run
threads. There is no way to start a process, open a socket, signal or trace another process, change
a file's mode or owner, mount, or reach keyctl, bpf, perf, io_uring and their kin. See seccomp(2).

>>> len(filter_program(os.getpid())) % 8  # whole instructions of 8 bytes
0
"""

import ctypes
import errno
import os
import struct

from bench.scoring.sandbox.kernel import MACHINE, prctl

PR_GET_SECCOMP, PR_SET_SECCOMP, MODE_FILTER = 21, 22, 2
AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32_BIT = 0x40000000
KILL, ALLOW, FAIL = 0x80000000, 0x7FFF0000, 0x00050000
LOAD, AND, RETURN = 0x20, 0x54, 0x06  # BPF_LD|W|ABS, BPF_ALU|AND|K, BPF_RET|K
EQUAL, AT_LEAST = 0x15, 0x35  # BPF_JMP|JEQ|K, BPF_JMP|JGE|K
NUMBER_AT, ARCHITECTURE_AT, ARGUMENTS_AT = 0, 4, 16  # offsets in struct seccomp_data
WORD = 0xFFFFFFFF

# (x86_64, aarch64) numbers; None where the architecture lacks the call.
ALLOWED: dict[str, tuple[int | None, int | None]] = {
    "access": (21, None),
    "alarm": (37, None),
    "brk": (12, 214),
    "chdir": (80, 49),
    "clock_getres": (229, 114),
    "clock_gettime": (228, 113),
    "clock_nanosleep": (230, 115),
    "close": (3, 57),
    "close_range": (436, 436),
    "dup": (32, 23),
    "dup2": (33, None),
    "dup3": (292, 24),
    "epoll_create": (213, None),
    "epoll_create1": (291, 20),
    "epoll_ctl": (233, 21),
    "epoll_pwait": (281, 22),
    "epoll_wait": (232, None),
    "eventfd2": (290, 19),
    "exit": (60, 93),
    "exit_group": (231, 94),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "fchdir": (81, 50),
    "fstat": (5, 80),
    "fstatfs": (138, 44),
    "ftruncate": (77, 46),
    "futex": (202, 98),
    "get_robust_list": (274, 100),
    "getcpu": (309, 168),
    "getcwd": (79, 17),
    "getdents": (78, None),
    "getdents64": (217, 61),
    "getegid": (108, 177),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getgroups": (115, 158),
    "getitimer": (36, 102),
    "getpgid": (121, 155),
    "getpgrp": (111, None),
    "getpid": (39, 172),
    "getppid": (110, 173),
    "getpriority": (140, 141),
    "getrandom": (318, 278),
    "getresgid": (120, 150),
    "getresuid": (118, 148),
    "getrlimit": (97, 163),
    "getrusage": (98, 165),
    "getsid": (124, 156),
    "gettid": (186, 178),
    "gettimeofday": (96, 169),
    "getuid": (102, 174),
    "lseek": (8, 62),
    "lstat": (6, None),
    "madvise": (28, 233),
    "membarrier": (324, 283),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "mremap": (25, 216),
    "munmap": (11, 215),
    "nanosleep": (35, 101),
    "newfstatat": (262, 79),
    "pause": (34, None),
    "pipe": (22, None),
    "pipe2": (293, 59),
    "poll": (7, None),
    "ppoll": (271, 73),
    "pread64": (17, 67),
    "preadv": (295, 69),
    "pselect6": (270, 72),
    "pwrite64": (18, 68),
    "pwritev": (296, 70),
    "read": (0, 63),
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "readv": (19, 65),
    "recvfrom": (45, 207),
    "rename": (82, None),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "restart_syscall": (219, 128),
    "rseq": (334, 293),
    "rt_sigaction": (13, 134),
    "rt_sigpending": (127, 136),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "rt_sigsuspend": (130, 133),
    "rt_sigtimedwait": (128, 137),
    "sched_get_priority_max": (146, 125),
    "sched_get_priority_min": (147, 126),
    "sched_getaffinity": (204, 123),
    "sched_getparam": (143, 121),
    "sched_getscheduler": (145, 120),
    "sched_yield": (24, 124),
    "select": (23, None),
    "sendfile": (40, 71),
    "set_robust_list": (273, 99),
    "set_tid_address": (218, 96),
    "setitimer": (38, 103),
    "shutdown": (48, 210),
    "sigaltstack": (131, 132),
    "stat": (4, None),
    "statfs": (137, 43),
    "statx": (332, 291),
    "sysinfo": (99, 179),
    "time": (201, None),
    "times": (100, 153),
    "umask": (95, 166),
    "uname": (63, 160),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "wait4": (61, 260),
    "waitid": (247, 95),
    "write": (1, 64),
    "writev": (20, 66),
}

# A condition: (argument, mask, values) - the argument's low word under the mask is among values.
# Argument numbers from 6 on mean the high word of argument - 6.
Condition = tuple[int, int, tuple[int, ...]]
HIGH = 6
# What pthread_create passes in glibc, and in musl (CLONE_DETACHED besides): threads, not processes.
THREAD_FLAGS = (0x3D0F00, 0x7D0F00)
# Not F_SETOWN and F_SETSIG, which would have the kernel send signals to others.
FCNTL = (0, 1, 2, 3, 4, 1030)  # F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC
# TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX
IOCTL = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
# Landlock before version 3 lets open(O_RDONLY | O_TRUNC) empty a file that may only be read.
OPEN_MODE, OPEN_MODES = 0o1003, (0, 1, 2, 3, 0o1001, 0o1002)
UNIX, STREAM = 1, 1


def filter_program(pid: int) -> bytes:
    """The BPF program for the process `pid`, 8 bytes an instruction."""
    column = 0 if MACHINE == "x86_64" else 1
    body = b"".join(
        _rule(numbers[column], ()) for numbers in ALLOWED.values() if numbers[column] is not None
    )
    for numbers, conditions in _conditional(pid):
        body += _rule(numbers[column], conditions)
    # ENOSYS sends glibc back from clone3, whose flags lie in memory, to clone, whose do not.
    no_clone3 = _instruction(EQUAL, 435, 0, 1) + _instruction(RETURN, FAIL | errno.ENOSYS)
    return _prologue() + no_clone3 + body + _instruction(RETURN, FAIL | errno.EPERM)


def restrict() -> None:
    """Filter this process's system calls from here on; `no_new_privs` must be set.

    Raises:
        OSError: the kernel has no seccomp filters.
    """
    code = ctypes.create_string_buffer(filter_program(os.getpid()))
    count = (len(code) - 1) // 8
    program = ctypes.create_string_buffer(struct.pack("@HP", count, ctypes.addressof(code)))
    prctl(PR_SET_SECCOMP, MODE_FILTER, ctypes.addressof(program))


def available() -> bool:
    """Whether the kernel was built with seccomp and lets this process ask."""
    try:
        return prctl(PR_GET_SECCOMP) >= 0
    except OSError:
        return False


def _conditional(pid: int) -> list[tuple[tuple[int | None, int | None], tuple[Condition, ...]]]:
    """Calls allowed with some arguments only: numbers, then conditions that must all hold."""
    own, own_or_zero = (0, WORD, (pid,)), (0, WORD, (0, pid))
    null, mode = (0,), (OPEN_MODE, OPEN_MODES)
    return [
        ((56, 220), ((0, WORD, THREAD_FLAGS),)),  # clone
        ((2, None), ((1, *mode),)),  # open
        ((257, 56), ((2, *mode),)),  # openat
        ((72, 25), ((1, WORD, FCNTL),)),  # fcntl
        ((16, 29), ((1, WORD, IOCTL),)),  # ioctl
        ((62, 129), (own,)),  # kill
        ((234, 131), (own,)),  # tgkill
        ((302, 261), (own_or_zero, (2, WORD, null), (2 + HIGH, WORD, null))),  # prlimit64: read
        ((53, 199), ((0, WORD, (UNIX,)), (1, 0xF, (STREAM,)))),  # socketpair, which asyncio needs
        ((44, 206), ((4, WORD, null), (4 + HIGH, WORD, null))),  # sendto without an address
    ]


def _prologue() -> bytes:
    """Kill on a foreign calling convention, then load the call's number."""
    kill = _instruction(RETURN, KILL)
    start = _instruction(LOAD, ARCHITECTURE_AT) + _instruction(EQUAL, AUDIT_ARCH[MACHINE], 1, 0)
    start += kill + _instruction(LOAD, NUMBER_AT)
    return start + (_instruction(AT_LEAST, X32_BIT, 0, 1) + kill if MACHINE == "x86_64" else b"")


def _rule(number: int | None, conditions: tuple[Condition, ...]) -> bytes:
    """Allow one call. A rule that does not apply falls through to the next one."""
    if number is None:
        return b""
    tests = b""
    for argument, mask, values in reversed(conditions):
        tests = _test(argument, mask, values, after=len(tests) // 8) + tests
    allow = _instruction(RETURN, ALLOW)
    reload = _instruction(LOAD, NUMBER_AT) if conditions else b""
    inside = tests + allow
    return _instruction(EQUAL, number, 0, len(inside + reload) // 8) + inside + reload


def _test(argument: int, mask: int, values: tuple[int, ...], after: int) -> bytes:
    """Go on when the argument is among values; else jump over `after` tests and the ALLOW."""
    offset = ARGUMENTS_AT + 8 * (argument % HIGH) + 4 * (argument // HIGH)
    code = _instruction(LOAD, offset) + _instruction(AND, mask)
    for place, value in enumerate(values):
        left = len(values) - place - 1
        code += _instruction(EQUAL, value, left, 0 if left else after + 1)
    return code


def _instruction(code: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, operand)
