"""Owns what another process of ours has open; where the kernel does not tell, nothing is said."""

import os


def open_inodes(pid: int) -> frozenset[tuple[int, int]]:
    """(device, inode) of all that the process has open; empty where nobody can tell."""
    folder = f"/proc/{pid}/fd"
    found = set()
    try:
        for name in os.listdir(folder):
            try:
                status = os.stat(f"{folder}/{name}")
            except OSError:
                continue
            found.add((status.st_dev, status.st_ino))
    except OSError:
        return frozenset()
    return frozenset(found)
