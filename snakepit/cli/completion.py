"""Owns the completion scripts of the shells, as click makes them."""

import click

from snakepit.cli.options import Invocation, verb_options

VARIABLE = "_SNAKEPIT_COMPLETE"


@click.command(epilog='JSON: {"shell", "script"}')
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@verb_options
def completion(call: Invocation, shell: str) -> None:
    """Print the completion script of a shell.

    \b
    Examples:
      snakepit completion bash >> ~/.bashrc
      snakepit completion fish > ~/.config/fish/completions/snakepit.fish
    """
    from click.shell_completion import get_completion_class

    from snakepit.cli.main import app

    found = get_completion_class(shell)
    if found is None:
        raise click.ClickException(shell)
    script = found(app, {}, "snakepit", VARIABLE).source()
    call.emit({"shell": shell, "script": script}, script.splitlines())
