"""System calls that a confined process does without, by their numbers on x86_64 and on aarch64 ("-": not there)."""

from __future__ import annotations

_NETWORK = """
socket 41 198, socketpair 53 199, connect 42 203, bind 49 200, listen 50 201, accept 43 202, accept4 288 242,
io_uring_setup 425 425, io_uring_enter 426 426, io_uring_register 427 427
"""
_PROCESSES = """
fork 57 -, vfork 58 -, execve 59 221, execveat 322 281, kill 62 129, tkill 200 130, rt_sigqueueinfo 129 138,
rt_tgsigqueueinfo 297 240, pidfd_open 434 434, pidfd_getfd 438 438, pidfd_send_signal 424 424, ptrace 101 117,
process_vm_readv 310 270, process_vm_writev 311 271, process_madvise 440 440, setpriority 141 140,
ioprio_set 251 30, sched_setscheduler 144 119, sched_setparam 142 118, sched_setattr 314 274, setns 308 268,
unshare 272 97, keyctl 250 219, add_key 248 217, request_key 249 218, bpf 321 280, perf_event_open 298 241,
userfaultfd 323 282, shmget 29 194, shmat 30 196, msgget 68 186, semget 64 190, mq_open 240 180,
memfd_create 319 279, memfd_secret 447 447
"""
_FILES = """
creat 85 -, mkdir 83 -, mkdirat 258 34, rmdir 84 -, unlink 87 -, unlinkat 263 35, rename 82 -, renameat 264 38,
renameat2 316 276, link 86 -, linkat 265 37, symlink 88 -, symlinkat 266 36, mknod 133 -, mknodat 259 33,
truncate 76 45, chmod 90 -, fchmod 91 52, fchmodat 268 53, fchmodat2 452 452, chown 92 -, fchown 93 55,
lchown 94 -, fchownat 260 54, utime 132 -, utimes 235 -, futimesat 261 -, utimensat 280 88, setxattr 188 5,
lsetxattr 189 6, fsetxattr 190 7, removexattr 197 14, lremovexattr 198 15, fremovexattr 199 16,
setxattrat 463 463, removexattrat 466 466, file_setattr 469 469, open_by_handle_at 304 265
"""
_ADMINISTRATION = """
mount 165 40, umount2 166 39, pivot_root 155 41, chroot 161 51, open_tree 428 428, move_mount 429 429,
fsopen 430 430, fsconfig 431 431, fsmount 432 432, mount_setattr 442 442, reboot 169 142, init_module 175 105,
finit_module 313 273, delete_module 176 106, kexec_load 246 104, swapon 167 224, swapoff 168 225, acct 163 89,
settimeofday 164 170, clock_settime 227 112, adjtimex 159 171, sethostname 170 161, setdomainname 171 162,
iopl 172 -, ioperm 173 -
"""
_ASKED = "clone 56 220, open 2 -, openat 257 56, tgkill 234 131, prlimit64 302 261"  # refused for some arguments only
_OLDER = "clone3 435 435, openat2 437 437"  # their arguments can't be looked at, and older calls do the same

MACHINES = {"x86_64": 0, "aarch64": 1}  # the column of a machine


def _numbers(table: str, machine: str) -> dict[str, int]:
    entries = (entry.split() for entry in table.replace("\n", " ").split(","))
    found = {name: numbers[MACHINES[machine]] for name, *numbers in entries}
    return {name: int(number) for name, number in found.items() if number != "-"}


def refused(machine: str) -> list[int]:
    """The numbers of the calls that are refused whatever their arguments are."""
    tables = (_NETWORK, _PROCESSES, _FILES, _ADMINISTRATION)
    return sorted(number for table in tables for number in _numbers(table, machine).values())


def absent(machine: str) -> list[int]:
    """The numbers of the calls that are said not to be there."""
    return sorted(_numbers(_OLDER, machine).values())


def refused_for_arguments(machine: str) -> dict[str, int]:
    """Name -> number of the calls that are refused for some of their arguments."""
    return _numbers(_ASKED, machine)
