"""Confinement: in comes a process, out one that gave up for good what it could do, before it runs a foreign file.

Needs no rights and nothing but the standard library, and imports nothing else of the project: a confined process
loads this before anything, and may go without the rest.
"""
