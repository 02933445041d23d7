"""Django with django-allauth, headless, for browsers: sessions in Redis by the cache, served by gunicorn."""

import httpx

from bench.peers.peer import PASSWORD, Ask, Peer, Runtime

API = "/_allauth/browser/v1"


async def _post(client: httpx.AsyncClient, path: str) -> Ask:
    answer = (await client.get(f"{API}/config")).raise_for_status()
    token = answer.cookies["csrftoken"]
    return Ask(
        path=f"{API}{path}",
        method="POST",
        headers={"content-type": "application/json", "cookie": f"csrftoken={token}", "x-csrftoken": token},
        body=f'{{"email":"person%d@example.org","password":"{PASSWORD}"}}',
    )


async def _sign_up(client: httpx.AsyncClient, n: int) -> None:
    ask = await _post(client, "/auth/signup")
    (await client.post(ask.path, headers=ask.headers, content=ask.body % n)).raise_for_status()


async def _log_in(client: httpx.AsyncClient) -> Ask:
    return await _post(client, "/auth/login")


PEER = Peer(
    name="django_allauth",
    label="Django + django-allauth",
    runtime=Runtime.PYTHON,
    environment={"DJANGO_SETTINGS_MODULE": "settings"},
    prepare=(("venv/bin/python", "-m", "django", "migrate"),),
    serve=("venv/bin/gunicorn", "wsgi:application"),
    session=f"{API}/auth/session",
    sign_up=_sign_up,
    log_in=_log_in,
)
