# The image of all parts: code server, runs and steps, webserver, daemon, MLflow and the scoring service differ only in their command.
#
#   docker build --tag ml-assets:0.1.0 .                            for CPUs
#   docker build --tag ml-assets:0.1.0-gpu --build-arg GPU=1 .      for GPUs, several to a model included
#   docker build --tag ml-assets:0.1.0-serving --target serving .   the scoring service alone
#   docker build --tag ml-assets:0.1.0-step --target step .         code server, runs and steps: no webserver, MLflow server or scoring service
#   docker run --rm --read-only --tmpfs /tmp ml-assets:0.1.0        writes nowhere else; helm/ runs it like this
#
# Written to, all in /tmp: HOME, DAGSTER_HOME (an instance of its own, unless one is mounted) and MPLCONFIGDIR.

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
# Tests of libraries, what only a compiler reads, and a part of Arrow that nothing here imports.
RUN cd /opt/venv/lib/python3*/site-packages \
    && rm -rf pandas/tests numpy/*/tests numpy/tests scipy/*/tests scipy/*/*/tests sklearn/tests sklearn/*/tests pyarrow/tests pyarrow/include pyarrow/*flight* \
    networkx/*/tests networkx/*/*/tests matplotlib/tests sqlalchemy/testing/suite \
    && find . -name '*.pyx' -o -name '*.pxd' -o -name '*.a' | xargs rm -f
COPY LICENSE README.md workspace.yaml ./
COPY ml_assets ml_assets
# Installed editable: the project is imported from the folder of its pyproject.toml, as in a checkout. COPY keeps the modes of a checkout, where a umask
# of 027 leaves files that only their owner can read.
RUN chmod -R a+rX . \
    && python -m pip --python /opt/venv/bin/python install --no-deps --constraint constraints.txt --editable . \
    && /opt/venv/bin/python -m compileall -q ml_assets

# Without the web pages, and what only the service imports.
FROM build AS build-step
RUN python -m pip --python /opt/venv/bin/python uninstall --yes dagster-webserver httptools uvloop \
    && rm -rf /opt/venv/lib/python3*/site-packages/mlflow/server/js

# Without what plans, runs and draws. The service reads tables, scores and asks MLflow for versions.
FROM build-step AS build-serving
RUN python -m pip --python /opt/venv/bin/python uninstall --yes dagster-k8s kubernetes dagster-postgres dagster-aws optuna apprise matplotlib fonttools \
    && python -m pip --python /opt/venv/bin/python install --no-deps --only-binary :all: --constraint constraints.txt httptools uvloop

FROM ${PYTHON_IMAGE} AS runtime
# A number, not a name: Kubernetes can then see that it is not root.
ARG UID=10001
# No pip and no program that runs as another user. The Dagster chart waits for the service of the code server with nslookup: not every release of busybox
# resolves the search domains of a cluster, and it would be a second image.
RUN useradd --uid ${UID} --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin ml_assets \
    && printf '#!/bin/sh\nexec getent hosts "$1"\n' > /usr/local/bin/nslookup && chmod 755 /usr/local/bin/nslookup \
    && rm -rf /usr/local/lib/python3*/site-packages/* /usr/local/lib/python3*/ensurepip /usr/local/bin/pip* /root/.cache /var/cache/* /var/lib/apt/lists/* /tmp/* \
    && find / -xdev -perm /6000 -type f -exec chmod a-s {} +
# Byte code was compiled above, and the file system is read only. What libraries want to cache goes to /tmp. Only the container runtime
# of a GPU node reads the NVIDIA settings.
# A user whom the cluster chooses (OpenShift) is not in /etc/passwd: without LOGNAME, Python has no name for it, which the client of the Dask operator needs.
# The group of the pods (fsGroup) may change what one of them creates on a volume; others may not read it.
ENV PATH=/opt/venv/bin:$PATH \
    ML_ASSETS_UMASK=007 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    LOGNAME=ml_assets \
    MPLCONFIGDIR=/tmp/matplotlib \
    GIT_PYTHON_REFRESH=quiet \
    DAGSTER_HOME=/tmp \
    DAGSTER_DISABLE_TELEMETRY=yes \
    ML_ASSETS_ENV=production \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
WORKDIR /opt/ml_assets
USER ${UID}:${UID}

FROM runtime AS serving
COPY --from=build-serving /opt/venv /opt/venv
COPY --from=build-serving /opt/ml_assets /opt/ml_assets
EXPOSE 8000
# Name the model: `docker run ... ml-assets:0.1.0-serving fraud_detection --host 0.0.0.0`.
ENTRYPOINT ["ml-assets", "serve"]

FROM runtime AS step
COPY --from=build-step /opt/venv /opt/venv
COPY --from=build-step /opt/ml_assets /opt/ml_assets
EXPOSE 4000
HEALTHCHECK --interval=60s --timeout=90s --start-period=60s --retries=3 CMD ["python", "-m", "ml_assets.resources.dagster_instance.code_server_health", "4000"]
CMD ["dagster", "code-server", "start", "-h", "0.0.0.0", "-p", "4000", "-m", "ml_assets.definitions", "--heartbeat-ttl", "600"]

FROM runtime
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/ml_assets /opt/ml_assets
EXPOSE 4000
# For the code server under plain Docker; Kubernetes has probes of its own for each part. It asks for the repositories, as the webserver does.
HEALTHCHECK --interval=60s --timeout=90s --start-period=60s --retries=3 CMD ["python", "-m", "ml_assets.resources.dagster_instance.code_server_health", "4000"]
# No init process: Dagster's servers, its runs, MLflow and uvicorn handle SIGTERM themselves and wait for the processes that they start.
CMD ["dagster", "code-server", "start", "-h", "0.0.0.0", "-p", "4000", "-m", "ml_assets.definitions", "--heartbeat-ttl", "600"]
