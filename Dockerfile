# The one image: code server, runs and steps, webserver, daemon, MLflow and the scoring service differ only in their command.
#
#   docker build --tag ml-assets:0.1.0 .                            for CPUs
#   docker build --tag ml-assets:0.1.0-gpu --build-arg GPU=1 .      for GPUs, several to a model included
#   docker run --rm --read-only --tmpfs /tmp ml-assets:0.1.0        needs nothing else writable; helm/ runs it like this

# Pin it to a digest for reproducible builds: --build-arg PYTHON_IMAGE=python@sha256:...
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /opt/ml_assets
# The environment has no pip: nothing can be installed into a running container.
RUN python -m venv --without-pip /opt/venv
# Dependencies first: this layer is rebuilt only when they change. Wheels only, so that no compiler is needed.
COPY pyproject.toml constraints.txt ./
RUN python -c "import tomllib; project = tomllib.load(open('pyproject.toml', 'rb'))['project']; extras = project['optional-dependencies']; \
    names = extras['image'][0].split('[')[1].rstrip(']').split(','); \
    print(*project['dependencies'], *(package for name in names for package in extras[name]), sep='\n')" > /tmp/dependencies.txt \
    && python -m pip --python /opt/venv/bin/python install --only-binary :all: --constraint constraints.txt --requirement /tmp/dependencies.txt
# XGBoost's wheel for Linux has the code for GPUs, and one GPU needs only the driver in addition, which the node brings. NCCL is for several GPUs that
# train one model together: 470 MB, for GPU=1 only. The package xgboost-cpu would save 200 MB more. But every model's fingerprint has the version of the
# package xgboost, and the same library in all images gives a model the same digest on each of them.
ARG GPU=0
RUN test "$GPU" = 1 || python -m pip --python /opt/venv/bin/python uninstall --yes nvidia-nccl-cu12
COPY LICENSE README.md workspace.yaml ./
COPY ml_assets ml_assets
# Installed editable: the project is imported from the folder of its pyproject.toml, as in a checkout.
RUN python -m pip --python /opt/venv/bin/python install --no-deps --constraint constraints.txt --editable . \
    && /opt/venv/bin/python -m compileall -q ml_assets

FROM ${PYTHON_IMAGE}
# A number, not a name: Kubernetes can then see that it is not root.
ARG UID=10001
RUN useradd --uid ${UID} --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin ml_assets \
    && mkdir -p /opt/dagster/dagster_home && chown ${UID}:${UID} /opt/dagster/dagster_home
# The Dagster chart waits for the service of the code server with this command. Not every release of busybox resolves the search domains of a cluster,
# and it would be a second image.
RUN printf '#!/bin/sh\nexec getent hosts "$1"\n' > /usr/local/bin/nslookup && chmod 755 /usr/local/bin/nslookup
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/ml_assets /opt/ml_assets
# Byte code was compiled above, and the file system is read only. What libraries want to cache goes to /tmp. Only the container runtime
# of a GPU node reads the NVIDIA settings.
# The group of the pods (fsGroup) may change what one of them creates on a volume; others may not read it.
ENV PATH=/opt/venv/bin:$PATH \
    ML_ASSETS_UMASK=007 \
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
# For the code server under plain Docker; Kubernetes has probes of its own for each part.
HEALTHCHECK --interval=60s --timeout=30s --start-period=60s --retries=3 CMD ["dagster", "api", "grpc-health-check", "-p", "4000"]
# No init process: Dagster's servers, its runs, MLflow and uvicorn handle SIGTERM themselves and wait for the processes that they start.
CMD ["dagster", "code-server", "start", "-h", "0.0.0.0", "-p", "4000", "-m", "ml_assets.definitions"]
