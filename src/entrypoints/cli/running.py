"""Commands that run the service."""

import click

from entrypoints.cli.start import require_schema, run, settings
from entrypoints.logs import log_to_stderr


@click.command()
def serve() -> None:
    """Serve HTTP: pages and API.

    Without server URLs, everything is in this one process: the database and the mails are files in the data folder.
    """
    found = settings()
    log_to_stderr(found.log_format)
    from entrypoints.faults import CannotStart
    from entrypoints.serving import serve_here, serve_with_workers

    run(require_schema(found))
    try:
        if found.workers == 1:
            run(serve_here(found))
        else:
            serve_with_workers(found)
    except CannotStart as error:
        raise click.ClickException(str(error)) from error


@click.command()
def worker() -> None:
    """Relay events to RabbitMQ and send mails."""
    found = settings()
    log_to_stderr(found.log_format)
    if found.rabbitmq_url is None:
        raise click.ClickException(
            "BOTTOMLINE_RABBITMQ_URL is not set: then `bottomline serve` delivers by itself, and needs no worker."
        )
    from entrypoints.worker import work

    run(require_schema(found))
    run(work(found))


@click.command()
def migrate() -> None:
    """Bring the database's schema up to date. Safe to run at any time, from several places at once."""
    found = settings()
    from adapters.sql.engine import open_engine
    from adapters.sql.migrate import migrate as upgrade
    from adapters.sql.migrations import HEAD

    async def work() -> bool:
        engine = open_engine(found.database_url, is_patient=True)
        try:
            return await upgrade(engine)
        finally:
            await engine.dispose()

    changed = run(work())
    click.echo(f"The schema is {'now' if changed else 'already'} at revision {HEAD}.")


@click.command()
def doctor() -> None:
    """Check every setting and server; say what is wrong and what to do. Exit status 1 if anything is."""
    found = settings()
    from entrypoints.cli.checkup import check

    healthy = run(check(found, click.echo))
    raise SystemExit(0 if healthy else 1)
