"""`python -m fmau` is `fmau`."""

from fmau.cli import main

if __name__ == "__main__":
    main()
