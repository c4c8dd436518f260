"""`python -m hemline` is the `hemline` command."""

from .cli import main

if __name__ == "__main__":
    main()
