#!/usr/bin/env python3
"""Owns a small program with a screen like Claude Code's, for what the real one does too rarely.

FAKE_TUI names its ways: nolog, swallow (the first Enter), deaf (to every Enter), menu, stuck (it is), late-menu
(opens when something is pasted), shell (becomes one), child (gives its terminal away), exit (at the first Enter).
It notes every prompt, and every key of a menu, in $CLAUDE_CONFIG_DIR/projects/x/x.jsonl and keys.txt.
"""

import contextlib
import json
import os
import select
import subprocess
import sys
import termios
import tty
from pathlib import Path

WAYS = os.environ.get("FAKE_TUI", "").split()
HOME = Path(os.environ["CLAUDE_CONFIG_DIR"])
RULE = "─" * 60
OPTIONS = ("No, exit", "Yes, I trust this folder")
PASTE, END = "\x1b[200~", "\x1b[201~"


class Screen:
    def __init__(self) -> None:
        self.draft = ""
        self.said: list[str] = []
        self.menu: int | None = 0 if "menu" in WAYS else None
        self.swallows = 1 if "swallow" in WAYS else 0
        self.is_pasting = False

    def draw(self) -> None:
        if self.menu is not None:
            rows = ["Accessing workspace:", "", "Quick safety check: is it yours?", ""]
            rows += [
                f" {'❯' if n == self.menu else ' '} {label}" for n, label in enumerate(OPTIONS)
            ]
            rows += ["", " Enter to confirm · Esc to cancel"]
        else:
            draft = "\r\n  ".join(self.draft.split("\n"))
            rows = [*(f"❯ {one}" for one in self.said), RULE, f"❯\u00a0{draft}", RULE, "  mode on"]
        sys.stdout.write("\x1b[2J\x1b[H" + "\r\n".join(rows))
        sys.stdout.flush()

    def take(self, text: str) -> None:
        while text:
            mark = END if self.is_pasting else PASTE
            head, found, text = text.partition(mark)
            if self.is_pasting:
                self.draft += head.replace("\r", "\n")
            else:
                self.keys(head)
            if found:
                self.is_pasting = not self.is_pasting
                if self.is_pasting and "late-menu" in WAYS:
                    self.menu = 0
        self.draw()

    def keys(self, text: str) -> None:
        if self.menu is not None:
            with (HOME / "keys.txt").open("a") as file:
                file.write(repr(text) + "\n" if text else "")
            self.menu_keys(text)
            return
        for char in text:
            if char == "\r":
                self.enter()
            elif char == "\x15":
                self.draft = ""
            elif char >= " ":
                self.draft += char

    def menu_keys(self, text: str) -> None:
        assert self.menu is not None
        if "stuck" in WAYS:
            return
        if "\x1b[B" in text or "\x1bOB" in text:
            self.menu = min(self.menu + 1, 1)
        elif "\x1b[A" in text or "\x1bOA" in text:
            self.menu = max(self.menu - 1, 0)
        elif "\r" in text:
            if self.menu == 0:
                sys.exit(1)
            self.menu = None

    def enter(self) -> None:
        if "exit" in WAYS:
            sys.exit(3)
        if "deaf" in WAYS or not self.draft:
            return
        if self.swallows:
            self.swallows -= 1
            return
        self.said.append(self.draft.split("\n")[0])
        if "nolog" not in WAYS:
            with (HOME / "projects" / "x" / "x.jsonl").open("a") as file:
                file.write(json.dumps({"type": "user", "message": self.draft}) + "\n")
        self.draft = ""


def main() -> None:
    (HOME / "projects" / "x").mkdir(parents=True, exist_ok=True)
    if "shell" in WAYS:
        rows = f"{RULE}\n❯\u00a0\n{RULE}\n  mode on\n"
        os.execv("/bin/sh", ["sh", "-c", f"printf '%s' '{rows}'; exec sh -i"])
    attributes = termios.tcgetattr(0)
    tty.setraw(0)
    sys.stdout.write("\x1b[?2004h")
    screen = Screen()
    screen.draw()
    if "child" in WAYS:
        child = subprocess.Popen(["cat"], process_group=0)
        os.tcsetpgrp(0, child.pid)
        child.wait()
    with contextlib.suppress(OSError):
        while select.select([0], [], []):
            data = os.read(0, 65536)
            if not data:
                break
            screen.take(data.decode(errors="replace"))
    termios.tcsetattr(0, termios.TCSADRAIN, attributes)


if __name__ == "__main__":
    main()
