"""The command line: `bottomline …`."""

import gc

import click

from entrypoints.cli.assets import assets
from entrypoints.cli.describing import explain, openapi
from entrypoints.cli.invites import invite
from entrypoints.cli.mails import mail
from entrypoints.cli.parked import parked
from entrypoints.cli.running import doctor, migrate, serve, worker


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="bottomline")
def main() -> None:
    """Bottomline: an invite-only account service.

    Settings come from the environment (BOTTOMLINE_…); `bottomline settings` explains them, and
    `bottomline doctor` checks them and the servers.
    """
    gc.disable()  # until `run`: what a start loads is no garbage, and to look for it takes a third of the time


for command in (serve, worker, migrate, doctor, explain, openapi, assets, invite, mail, parked):
    main.add_command(command)
