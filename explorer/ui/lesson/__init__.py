"""Lesson: in comes a file of steps, out a tour over the pages that says what is true of the network in view."""
