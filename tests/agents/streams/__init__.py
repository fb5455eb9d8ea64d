"""Real structured output of the agent programs, recorded by `record`."""
