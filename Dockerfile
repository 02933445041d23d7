# Bottomline in one image: `serve` (the default), `worker`, `migrate`, `invite …`, `doctor`.
# Alone it keeps its data in /var/lib/bottomline: docker run -p 127.0.0.1:8000:8000 -v bottomline:/var/lib/bottomline …
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS dependencies
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
# pip works on the environment from outside, so that the image runs without it.
RUN python3 -m venv --without-pip /opt/bottomline
COPY requirements.lock /build/
RUN python3 -m pip --python /opt/bottomline install --quiet --require-hashes --only-binary :all: \
    -r /build/requirements.lock

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
