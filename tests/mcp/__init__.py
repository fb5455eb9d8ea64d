"""The agents' verbs as tools of an MCP server."""
