"""Material for training: frames of films, faces, aligned folders, and what is wrong with a folder."""
