"""Owns the file system calls that POSIX lacks: rename without replacing, the writer test, the type.

Everything here works relative to open directory descriptors; nothing follows a link. Where the kernel has no
rename without replacing, `rename_noreplace` falls back to link and unlink, which is safe from a private folder
into a shared one (the only use without a fence) and is never used for a contended source.
"""

import ctypes
import errno
import fcntl
import os
import signal
import sys

RENAME_NOREPLACE = 1
RENAME_EXCL = 4  # macOS
NETWORK_FILESYSTEMS = frozenset(
    [
        "nfs",
        "nfs4",
        "cifs",
        "smb2",
        "smb3",
        "smbfs",
        "9p",
        "afs",
        "ceph",
        "glusterfs",
        "lustre",
        "gpfs",
        "beegfs",
        "fuse.sshfs",
        "fuse.rclone",
        "afpfs",
        "webdav",
        "fuse.glusterfs",
    ]
)

ENCODING = sys.getfilesystemencoding()  # names are encoded as os.fsencode does, which costs more
ON_ERROR = sys.getfilesystemencodeerrors()

_libc = ctypes.CDLL(None, use_errno=True)
_ARGS = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
_renameat2 = getattr(_libc, "renameat2", None) or getattr(_libc, "renameatx_np", None)
_FLAG = RENAME_EXCL if sys.platform == "darwin" else RENAME_NOREPLACE
if _renameat2 is not None:
    _renameat2.argtypes = _ARGS
    _renameat2.restype = ctypes.c_int


def rename_noreplace(source: str, target: str, source_dir: int, target_dir: int) -> None:
    """Atomic; FileExistsError when the target is taken, FileNotFoundError when the source is gone."""
    if _renameat2 is None:
        _link_and_unlink(source, target, source_dir, target_dir)
        return
    old = source.encode(ENCODING, ON_ERROR)
    new = old if target == source else target.encode(ENCODING, ON_ERROR)
    if _renameat2(source_dir, old, target_dir, new, _FLAG) == 0:
        return
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        _link_and_unlink(source, target, source_dir, target_dir)
        return
    raise OSError(code, os.strerror(code), source, None, target)


def _link_and_unlink(source: str, target: str, source_dir: int, target_dir: int) -> None:
    """Two steps: a death between them leaves one inode under both names, which recovery resolves."""
    try:
        os.link(source, target, src_dir_fd=source_dir, dst_dir_fd=target_dir, follow_symlinks=False)
    except PermissionError:  # a directory cannot be linked
        try:
            os.stat(target, dir_fd=target_dir, follow_symlinks=False)
        except FileNotFoundError:
            os.rename(source, target, src_dir_fd=source_dir, dst_dir_fd=target_dir)
            return
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target) from None
    os.unlink(source, dir_fd=source_dir)


if hasattr(fcntl, "F_SETLEASE"):
    _F_SETLEASE, _F_RDLCK, _F_UNLCK = fcntl.F_SETLEASE, fcntl.F_RDLCK, fcntl.F_UNLCK
    _F_SETSIG = 10
    _HARMLESS = int(signal.SIGURG)
    _fcntl = fcntl.fcntl

    def is_being_written(fd: int) -> bool | None:
        """True while any process has the file open for writing; None where nobody can tell.

        A read lease is refused exactly then (fcntl(2)); it is held for two microseconds. A lease that is
        broken meanwhile signals SIGURG, which does nothing, instead of SIGIO, which would kill us.
        """
        try:
            _fcntl(fd, _F_SETSIG, _HARMLESS)
            _fcntl(fd, _F_SETLEASE, _F_RDLCK)
        except OSError as error:
            return True if error.errno == errno.EAGAIN else None
        _fcntl(fd, _F_SETLEASE, _F_UNLCK)
        return False

else:  # pragma: no cover - not Linux

    def is_being_written(fd: int) -> bool | None:
        return None


def filesystem_type(path: str) -> str:
    """The name the mount table gives, or "" where there is no mount table to read."""
    device = os.stat(path).st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as table:
            for line in table:
                left, _, right = line.partition(" - ")
                if left.split()[2] == wanted:
                    return right.split()[0]
    except OSError:
        return ""
    return ""


def is_network_filesystem(path: str) -> bool:
    return filesystem_type(path) in NETWORK_FILESYSTEMS


_SAFE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_SAFE_FILE = _SAFE | os.O_NONBLOCK


def open_file(name: str, dir_fd: int) -> int:
    """For reading, never through a link, never blocking on a FIFO."""
    return os.open(name, _SAFE_FILE, dir_fd=dir_fd)


def open_folder(path: str, dir_fd: int | None = None) -> int:
    return os.open(path, _SAFE | os.O_DIRECTORY, dir_fd=dir_fd)


def free_bytes(path: str) -> int:
    usage = os.statvfs(path)
    return usage.f_bavail * usage.f_frsize
