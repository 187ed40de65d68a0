# The one image: code server, runs and steps, webserver, daemon, MLflow and the scoring service differ only in their command.
#
#   docker build --tag ml-assets:0.1.0 .                            for CPUs
#   docker build --tag ml-assets:0.1.0-gpu --build-arg GPU=1 .      for GPUs, several to a model included
#   docker run --rm --read-only --tmpfs /tmp ml-assets:0.1.0        needs no other writable place; helm/ runs it like this

# Pin it to a digest of your registry for builds that can be repeated: --build-arg PYTHON_IMAGE=python@sha256:...
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /opt/ml_assets
# The environment has no pip of its own: nothing can be installed into a running container.
RUN python -m venv --without-pip /opt/venv
# Dependencies first: this layer is made again only when they change. Wheels alone, so that no compiler is needed.
COPY pyproject.toml constraints.txt ./
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > /tmp/dependencies.txt \
    && python -m pip --python /opt/venv/bin/python install --only-binary :all: --constraint constraints.txt --requirement /tmp/dependencies.txt
# XGBoost's wheel for Linux carries its code for GPUs, and one GPU needs nothing else but the driver, which the node brings. NCCL is for several GPUs that
# train one model together: 470 MB, for GPU=1 only. The package xgboost-cpu would save 200 MB more, but has another name than the one whose version is
# part of every model's fingerprint, and one library in all images is what lets a model made on any of them have the same digest.
ARG GPU=0
RUN test "$GPU" = 1 || python -m pip --python /opt/venv/bin/python uninstall --yes nvidia-nccl-cu12
COPY LICENSE README.md dagster.yaml workspace.yaml ./
COPY ml_assets ml_assets
# Linked, not copied: the project is imported from where its pyproject.toml lies, as in a checkout.
RUN python -m pip --python /opt/venv/bin/python install --no-deps --constraint constraints.txt --editable . \
    && /opt/venv/bin/python -m compileall -q ml_assets

FROM ${PYTHON_IMAGE}
# A number, not a name: Kubernetes can then see that it is not root.
ARG UID=10001
RUN useradd --uid ${UID} --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin ml_assets \
    && mkdir -p /opt/dagster/dagster_home && chown ${UID}:${UID} /opt/dagster/dagster_home
# By this name the Dagster chart waits until the service of the code server is known. The one of busybox does not look through the search domains of a
# cluster in all its releases, and would be a second image.
RUN printf '#!/bin/sh\nexec getent hosts "$1"\n' > /usr/local/bin/nslookup && chmod 755 /usr/local/bin/nslookup
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/ml_assets /opt/ml_assets
# Byte code was compiled above, and the file system is read only. What libraries want to cache goes to /tmp. The NVIDIA settings are read by the
# container runtime of a node with GPUs, and by nothing else.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    MPLCONFIGDIR=/tmp/matplotlib \
    GIT_PYTHON_REFRESH=quiet \
    DAGSTER_HOME=/opt/dagster/dagster_home \
    DAGSTER_DISABLE_TELEMETRY=yes \
    ML_ASSETS_ENV=production \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
WORKDIR /opt/ml_assets
USER ${UID}:${UID}
EXPOSE 4000
# Of the code server, for Docker alone; Kubernetes has probes of its own for each part.
HEALTHCHECK --interval=60s --timeout=30s --start-period=60s --retries=3 CMD ["dagster", "api", "grpc-health-check", "-p", "4000"]
# No init process: Dagster's servers, its runs, MLflow and uvicorn end on SIGTERM themselves and wait for the processes they start.
CMD ["dagster", "code-server", "start", "-h", "0.0.0.0", "-p", "4000", "-m", "ml_assets.definitions"]
