"""Confinement: what a process gives up for good before it runs a file that somebody else wrote.

Needs no rights and nothing but the standard library, and imports nothing else of the project: a confined process
loads this before anything, and may go without the rest.
"""
