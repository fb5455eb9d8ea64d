"""Owns our own agent on the Messages API: server, tools, conversation on disk, loop; it settles nothing."""
