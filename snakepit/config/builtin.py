"""Owns the built-in backends; a table of the same name in agents.toml overrides key by key.

The values are in checked form already.
"""

from collections.abc import Mapping

BACKENDS: Mapping[str, Mapping[str, object]] = {
    "script": {"bin": "", "submit_key": "", "process_name": ""},
    "demo": {
        "bin": "echo '[demo] {session} up (kickoff: {kickoff})'; exec sleep 1000000",
        "prompt_delivery": "exec",
        "process_name": "sleep",
    },
    "claude": {
        "bin": "claude",
        "supports_resume": True,
        "process_name": "claude",
        "active_re": r"esc to interrupt|Running tool|⠇|⠙|· \d+",
        "limit_re": (
            r"spend limit|usage limit|limit reached|reached your .*limit"
            r"|hit your .*limit|out of (credits|tokens)"
        ),
        "fatal_re": r"redacted_thinking|blocks cannot be modified|cannot be modified",
        "env_pass": (
            "ANTHROPIC_API_KEY",
            "ANTHROPIC_AUTH_TOKEN",
            "ANTHROPIC_BASE_URL",
            "CLAUDE_CODE_OAUTH_TOKEN",
            "CLAUDE_CONFIG_DIR",
        ),
    },
}
