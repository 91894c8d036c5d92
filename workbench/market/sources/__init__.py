"""Where bars come from: files and vendors."""
