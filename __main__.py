"""`python -m hemline` is the `hemline` command."""

from .runtime.reading.current_folder import leave_current_folder

if __name__ == "__main__":
    # Before anything else is imported: a file beside the data is not code.
    leave_current_folder()
    from .cli import main

    main()
