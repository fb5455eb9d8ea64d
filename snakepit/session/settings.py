"""Owns what a tmux server or session of ours is set to; runs nothing.

A private server is set as a whole. On the person's own server only our sessions are.
"""

from snakepit.session.base import COLUMNS, PANE_TERM, ROWS

HISTORY = 50_000  # lines of scrollback
OURS = "@snakepit_server"  # on a server that we started
READY = "@snakepit_ready"  # and set
MARK = "@snakepit"  # on a pane that we made
DRIVEN = "@snakepit_driven"
LEAVE = " leave: #{prefix} d "
BACK_TO_SIZE = (
    f"resize-window -t {{target}} -x {COLUMNS} -y {ROWS} ; "
    "set-option -w -u -t {target} window-size"
)

Command = tuple[str, ...]


def private_tastes() -> list[Command]:
    """Settings that the person's tmux_conf may overrule."""
    return [
        ("set-option", "-g", "mouse", "on"),
        ("set-option", "-g", "status-left", " #{session_name} "),
        ("set-option", "-g", "status-left-length", "40"),
        ("set-option", "-g", "status-style", "bg=colour22,fg=colour255"),
        ("set-option", "-wg", "window-status-format", ""),
        ("set-option", "-wg", "window-status-current-format", ""),
        ("set-option", "-g", "display-time", "3000"),
        ("set-option", "-s", "escape-time", "20"),
        ("set-option", "-s", "default-terminal", PANE_TERM),
    ]


def private_musts() -> list[Command]:
    """Settings that hold whatever the tmux_conf says."""
    everywhere = BACK_TO_SIZE.format(target="#{session_id}:")
    shrink = f"run-shell -C '#{{S:#{{?session_attached,,{everywhere} ; }}}}'"
    return [
        ("set-option", "-s", "exit-empty", "off"),
        ("set-option", "-s", "exit-unattached", "off"),
        ("set-option", "-g", "destroy-unattached", "off"),
        ("set-option", "-g", "history-limit", str(HISTORY)),
        ("set-option", "-g", "default-size", f"{COLUMNS}x{ROWS}"),
        ("set-option", "-g", "update-environment", ""),
        ("set-option", "-g", "status", "on"),
        ("set-option", "-g", "status-right", LEAVE),
        ("set-option", "-wg", "window-size", "latest"),
        ("set-option", "-wg", "remain-on-exit", "on"),
        ("set-option", "-wg", "automatic-rename", "off"),
        ("set-option", "-wg", "allow-rename", "off"),
        ("set-hook", "-g", "client-detached", shrink),
        ("set-hook", "-g", "client-session-changed", shrink),
        *_careful_keys(),
    ]


def joined_session(name: str) -> list[Command]:
    """Settings of one session on the person's own server, before its window is made."""
    session = f"={name}:"  # these commands take a pane, so a bare =name is none
    shrink = f"if-shell -F '#{{session_attached}}' '' '{BACK_TO_SIZE.format(target=session)}'"
    return [
        ("set-option", "-t", session, "history-limit", str(HISTORY)),
        ("set-option", "-t", session, "update-environment", ""),
        ("set-option", "-t", session, "destroy-unattached", "off"),
        ("set-option", "-t", session, "mouse", "on"),
        ("set-option", "-t", session, "status-right", LEAVE),
        ("set-hook", "-t", session, "client-detached", shrink),
    ]


def joined_window(name: str) -> list[Command]:
    """Settings of its window, in the same call that makes it."""
    window = f"={name}:"
    return [
        ("set-option", "-w", "-t", window, "remain-on-exit", "on"),
        ("set-option", "-w", "-t", window, "automatic-rename", "off"),
        ("set-option", "-w", "-t", window, "allow-rename", "off"),
    ]


def _careful_keys() -> list[Command]:
    """In a pane that a worker drives, Ctrl-Z and Ctrl-\\ do nothing; its Ctrl-C the worker asks about."""
    driven = f"#{{{DRIVEN}}}"
    refuse = 'display-message "this key would stop the snake; use: agents.py pause"'
    return [
        ("bind-key", "-n", "C-z", "if-shell", "-F", driven, refuse, "send-keys C-z"),
        ("bind-key", "-n", "C-\\", "if-shell", "-F", driven, refuse, "send-keys C-\\\\"),
    ]
