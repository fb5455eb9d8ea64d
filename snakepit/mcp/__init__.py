"""Owns the agents' verbs as tools of an MCP server; what they do is pool/verbs.py, as for the command line."""
