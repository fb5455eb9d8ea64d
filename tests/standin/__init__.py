"""Scripted stand-ins of the model vendors' APIs, on loopback: start with `server.Standin`."""
