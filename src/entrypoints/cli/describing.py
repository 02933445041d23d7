"""The command that describes the API."""

import click

from entrypoints.cli.start import settings


@click.command("settings")
def explain() -> None:
    """Print every setting, with its default and what it means."""
    from entrypoints.settings import PREFIX, SETTINGS

    for name, setting in SETTINGS.items():
        click.echo(f"{PREFIX}{name}" + (f"={setting.default}" if setting.default else ""))
        click.echo(f"    {setting.meaning}.\n")


@click.command()
def openapi() -> None:
    """Print the description of the API (OpenAPI 3.1, JSON), as GET /openapi.json answers it."""
    import msgspec

    from entrypoints.http.app import routed
    from entrypoints.http.openapi import describe

    found = settings()
    description = msgspec.json.encode(describe(routed(found).routes, found))
    click.echo(msgspec.json.format(description, indent=2))
