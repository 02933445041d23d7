"""The command that hands out what the pages load."""

from pathlib import Path

import click

from entrypoints.cli.start import settings


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def assets(folder: Path) -> None:
    """Write what the pages load into FOLDER, under the path of this version, for a CDN.

    Upload it before the processes of this version start, and leave older versions there: open pages load from them.
    """
    from entrypoints.site import BadPage, read_site

    found = settings()
    try:
        site = read_site(found)
        written = site.write_assets(folder)
    except BadPage as fault:
        raise click.ClickException(str(fault)) from fault
    except OSError as fault:
        raise click.ClickException(f"Cannot write into {folder}: {fault.strerror}.") from fault
    click.echo(f"{len(site.assets)} files are in {written}.")
    if found.assets_url:
        click.echo(f"Pages load them from {found.assets_url}/{site.version}/: upload the folder there.")
    else:
        click.echo(
            f"Upload {folder} as it is, and set BOTTOMLINE_ASSETS_URL to where it is then: pages load"
            f" $BOTTOMLINE_ASSETS_URL/{site.version}/page.css."
        )
