"""Owns `python -m snakepit`: the same program as the command `snakepit`, and nothing of its own."""

from snakepit.cli.main import main

if __name__ == "__main__":
    main()
