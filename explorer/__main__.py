"""`python -m explorer` is the command `pruning-explorer`."""

from explorer.cli import main

if __name__ == "__main__":
    main()
