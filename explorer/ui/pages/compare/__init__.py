"""Compare page: in comes the run in view, out the criteria on equal terms, in three ways."""
