# A small image that serves modules as an ordinary user. Build with: docker build -t goferry .
#   docker run -p 8080:8080 -v goferry:/data goferry

FROM python:3.11-slim AS build
WORKDIR /src
# Dependencies first: they change seldom, and the layer is kept.
COPY requirements/dev.txt requirements/run.txt requirements/
RUN python -m venv /build \
 && /build/bin/pip install --no-cache-dir --require-hashes -r requirements/dev.txt \
 && python -m venv /opt/goferry \
 && /opt/goferry/bin/pip install --no-cache-dir --require-hashes -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY tools/hatch_build.py tools/
COPY src src
RUN /build/bin/python -m build --wheel --no-isolation --outdir /dist . \
 && /opt/goferry/bin/pip install --no-cache-dir --no-deps /dist/*.whl \
 && /opt/goferry/bin/pip uninstall --yes --quiet pip setuptools

FROM python:3.11-slim
COPY --from=build /opt/goferry /opt/goferry
# A fixed number, so that orchestrators which demand a non-root user can see that it is one.
RUN useradd --uid 10001 --home-dir /data --create-home --shell /usr/sbin/nologin goferry
USER 10001:10001
WORKDIR /data
VOLUME /data
ENV PATH=/opt/goferry/bin:$PATH \
    GOFERRY_ADDR=:8080 \
    GOFERRY_STORE=/data/store \
    PYTHONDONTWRITEBYTECODE=1
EXPOSE 8080
# Python itself asks, since the image has no curl.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["goferry"]
CMD ["serve"]
