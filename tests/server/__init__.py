"""The Jupyter server extension, in a server."""
