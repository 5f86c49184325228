"""Paper page: in comes a study, out every table and figure of the paper beside it."""
