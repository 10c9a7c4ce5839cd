"""A seccomp filter, assembled here because the standard library has none: 64-bit x86 and ARM."""

from __future__ import annotations

import ctypes
import errno
import platform
import struct

# (x86_64, aarch64) numbers of system calls, from the kernel's tables; None where the machine lacks the call.
_ALWAYS: dict[str, tuple[int | None, int | None]] = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "memfd_secret": (447, 447),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
}
# What a function has no business with but a server may need: processes, sockets, signals, shared memory.
_IN_TOOLS: dict[str, tuple[int | None, int | None]] = {
    "accept": (43, 202),
    "accept4": (288, 242),
    "bind": (49, 200),
    "connect": (42, 203),
    "execve": (59, 221),
    "execveat": (322, 281),
    "fork": (57, None),
    "kill": (62, 129),
    "listen": (50, 201),
    "memfd_create": (319, 279),
    "mq_open": (240, 180),
    "msgget": (68, 186),
    "pidfd_send_signal": (424, 424),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "semget": (64, 190),
    "shmget": (29, 194),
    "socket": (41, 198),
    "tkill": (200, 130),
    "vfork": (58, None),
}
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_CLONE = (56, 220)
_CLONE3 = 435
_CLONE_THREAD = 0x10000
_X32_BIT = 0x40000000

# Offsets into struct seccomp_data, and the opcodes of classic BPF that the filter needs.
_NUMBER, _ARCH, _FIRST_ARGUMENT = 0, 4, 16
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000

_SET_SECCOMP, _FILTER_MODE = 22, 2


def build_filter(server: bool, machine: str | None = None) -> bytes:
    """The BPF program as an array of struct sock_filter.

    Denied calls fail with EPERM, so that a tool's mistake is an exception it can be told about; a process
    of a foreign architecture is killed, since its numbers mean other calls.

    Args:
        server: whether processes, sockets and signals stay allowed, as stdio servers need them.
        machine: as `platform.machine()` names it; this machine unless given.

    Raises:
        OSError: the machine is neither x86_64 nor aarch64.
    """
    machine = machine or platform.machine()
    if machine not in _ARCHITECTURES:
        raise OSError(errno.ENOSYS, f"no seccomp filter for {machine}")
    column, arch = _ARCHITECTURES[machine]
    denied = {**_ALWAYS, **({} if server else _IN_TOOLS)}
    numbers = sorted(number for pair in denied.values() if (number := pair[column]) is not None)
    program = [
        (_LOAD, 0, 0, _ARCH),
        (_JUMP_EQUAL, 1, 0, arch),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if column == 0:
        program += [(_JUMP_AT_LEAST, 0, 1, _X32_BIT), (_RETURN, 0, 0, _ERRNO | errno.EPERM)]
    for number in numbers:
        program += [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERRNO | errno.EPERM)]
    # clone3 keeps its flags in memory, which a filter cannot read: without it, libc falls back to clone.
    program += [(_JUMP_EQUAL, 0, 1, _CLONE3), (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)]
    if not server:
        program += [
            (_JUMP_EQUAL, 0, 3, _CLONE[column]),
            (_LOAD, 0, 0, _FIRST_ARGUMENT),
            (_JUMP_ANY_BIT, 1, 0, _CLONE_THREAD),
            (_RETURN, 0, 0, _ERRNO | errno.EPERM),
        ]
    program.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def install_filter(server: bool) -> None:
    """Put this process, and all it will start, behind the filter; needs no_new_privs.

    Raises:
        OSError: the kernel has no seccomp filters, or the machine is not supported.
    """
    code = build_filter(server)
    program = _Program(len(code) // 8, code)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_SET_SECCOMP, _FILTER_MODE, ctypes.byref(program), 0, 0):
        raise OSError(ctypes.get_errno(), "seccomp filter refused")
