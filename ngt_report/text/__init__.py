"""Text logs: how a line is taken apart, and how a file of any dialect is read."""
