"""Whittling many candidates down to a few."""
