"""Preparing training data: frames of films, faces, aligned folders, and checks of folders."""
