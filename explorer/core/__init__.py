"""Core: in come foreign text, files and folders, out one kind of error, safe text, whole files, locks and bounds."""
