"""Readers of evaluation logs, one file a format."""
