# Bottomline in one image: `serve` (the default), `worker`, `migrate`, `invite …`, `doctor`.
# `worker` and `migrate` answer no HTTP: run them with --no-healthcheck, or with the check of docker-compose.yml.
# Alone it keeps its data in /var/lib/bottomline: docker run -p 127.0.0.1:8000:8000 -v bottomline:/var/lib/bottomline …
ARG PYTHON_IMAGE=python:3.13-slim

# The published bindings of argon2 use nothing newer than SSE2; built for what servers have had since 2013 they hash
# about twice as fast. For others: docker build --build-arg ARGON2_CPU=x86-64-v2 … (or native, x86-64-v4).
FROM ${PYTHON_IMAGE} AS argon2
ARG ARGON2_CPU=x86-64-v3
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
RUN headers=$(python3 -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h \
 && apt-get update -qq \
 && apt-get install -qq --yes --no-install-recommends gcc libc6-dev $([ -e "$headers" ] || echo python3-dev) >/dev/null
WORKDIR /build
COPY requirements-argon2.lock ./
RUN python3 -m venv tools && tools/bin/python -m pip install --quiet --require-hashes --only-binary :all: \
    -r requirements-argon2.lock
COPY requirements.lock ./
RUN sed -n '/^argon2-cffi-bindings==/,/[^\\]$/p' requirements.lock > bindings.lock \
 && case $(uname -m) in x86_64) cpu=-march=$ARGON2_CPU ;; esac \
 && PATH=/build/tools/bin:$PATH CFLAGS="-O3 ${cpu:-}" tools/bin/python -m pip wheel --quiet --require-hashes --no-deps \
    --no-build-isolation --no-binary :all: --wheel-dir wheels -r bindings.lock

FROM ${PYTHON_IMAGE} AS dependencies
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
# pip works on the environment from outside, so that the image runs without it.
RUN python3 -m venv --without-pip /opt/bottomline
COPY requirements.lock /build/
RUN python3 -m pip --python /opt/bottomline install --quiet --require-hashes --only-binary :all: \
    -r /build/requirements.lock
COPY --from=argon2 /build/wheels /build/wheels
RUN python3 -m pip --python /opt/bottomline install --quiet --no-deps --no-index --force-reinstall /build/wheels/*.whl

FROM dependencies AS project
WORKDIR /build
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN python3 -m pip --python /opt/bottomline install --quiet --no-deps --no-build-isolation --prefix /opt/project .

FROM ${PYTHON_IMAGE}
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/bottomline \
    --shell /usr/sbin/nologin bottomline \
 && install --directory --owner bottomline --group bottomline --mode 700 /var/lib/bottomline
# Two layers: a change of the source leaves the large one as it is.
COPY --from=dependencies /opt/bottomline /opt/bottomline
COPY --from=project /opt/project /opt/bottomline
# Bytecode was compiled above; the process writes nothing but its data folder.
ENV PATH=/opt/bottomline/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONFAULTHANDLER=1 \
    BOTTOMLINE_HOST=0.0.0.0 \
    BOTTOMLINE_DATA_DIR=/var/lib/bottomline
WORKDIR /var/lib/bottomline
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 CMD ["python", "-c", \
    "import http.client as h, os, sys; c = h.HTTPConnection('127.0.0.1', int(os.environ.get('BOTTOMLINE_PORT') or 8000), timeout=2); c.request('GET', '/live'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["bottomline"]
CMD ["serve"]
