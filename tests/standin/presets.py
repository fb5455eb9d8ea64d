"""Owns the named behaviours of the stand-ins: a preset is a step. Faults have their own tables."""

from tests.standin.steps import Step, say, shell, tool

LONG = " ".join(f"Sentence {i} of a slow answer that keeps on streaming." for i in range(1, 60))

# name of the preset: name of the fault in the tables of the dialects
FAULTS = (
    # every dialect has these
    *("401", "404", "429", "500", "503", "529", "context", "quota", "usage"),
    # the Messages API alone; the others answer with their nearest
    *("400_cache", "400_cap"),
    *("400_api_usage_limits", "400_credit", "400_thinking", "400_too_long", "400_tool_use_ids"),
    *("401_oauth", "403", "403_oauth_revoked", "404_model", "413", "429_5h", "429_5h_soon"),
    *("429_7d", "429_7d_opus", "429_7d_sonnet", "429_gateway_spend", "429_long", "429_noretry"),
    *("429_out_of_credits", "429_overage", "429_spend_workspace", "502_html"),
)

PRESETS: dict[str, Step] = {
    "side": say("stand-in title"),
    "text": say("OK, done. Nothing else to do."),
    "slow": say(LONG, chunk_delay=0.4),
    "think_slow": say("Thought about it.", thinking=LONG, chunk_delay=0.3),
    "delay20": say("Answer after a 20 s wait.", first_delay=20),
    "hang_connect": Step(hang="connect", times=-1),
    "hang_headers": Step(hang="headers", times=-1),
    "hang_mid": say(LONG, chunk_delay=0.1, hang_after=12, times=-1),
    "drop_mid": say(LONG, chunk_delay=0.1, drop_after=12, times=-1),
    "garbage": say(LONG, garbage_after=0, times=-1),
    "garbage_mid": say(LONG, garbage_after=6, times=-1),
    "sse_error_overloaded": say(LONG, error_after=4, times=-1),
    "close": Step(close=True, times=-1),
    "refusal": say("I can't help with that.", stop="refusal"),
    "max_tokens": say("Cut short because of the output limit", stop="max_tokens"),
    "empty": Step(stop="end_turn"),
    "bash_sleep60": tool("Bash", {"command": "sleep 60", "description": "Sleep a minute"}),
    "bash_hello": tool("Bash", {"command": "echo hello from bash", "description": "Say hello"}),
    "shell_hello": shell("echo hello from the shell"),
    **{name: Step(fault=name, times=-1) for name in FAULTS},
}
PRESETS = {name: step.but(name=name) for name, step in PRESETS.items()}
