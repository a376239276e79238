"""Fixtures of the end-to-end tests; what they need of the machine is checked here, in one place."""

import os
import pathlib
import shutil
import signal

import pytest

from support import server as servers
from support.wire import ImapWire, PopWire, SmtpWire

TEST_SECONDS = 60
# Sanitizers slow the server down, so its tests may take longer.
SLOWNESS = float(os.environ.get("POSTHORN_TEST_SLOWNESS", "1"))


@pytest.fixture(autouse=True)
def time_limit(request):
    """Ends a test that hangs, with its traceback, rather than the whole run."""
    marker = request.node.get_closest_marker("limit")
    seconds = int((marker.args[0] if marker else TEST_SECONDS) * SLOWNESS)

    def ring(_number, _frame):
        raise TimeoutError(f"the test took more than {seconds} s")

    previous = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)


@pytest.fixture(scope="session")
def _shared():
    """The server that most tests share, each with accounts of its own."""
    with servers.running() as server:
        yield server


@pytest.fixture
def server(_shared):
    if not _shared.is_running():
        _shared.kill()
        _shared.start()
    yield _shared
    _shared.check_log()
    assert _shared.is_running(), f"the server died:\n{_shared.log()[-6000:]}"


@pytest.fixture
def account(server):
    """(address, password) of a fresh account on the shared server."""
    return server.add_account()


@pytest.fixture
def imap(server, account):
    with ImapWire(server) as client:
        client.greeting()
        client.login(*account)
        yield client


@pytest.fixture
def smtp(server):
    with SmtpWire(server) as client:
        client.greeting()
        yield client


@pytest.fixture
def pop(server):
    with PopWire(server) as client:
        client.greeting()
        yield client


@pytest.fixture
def own():
    """Makes servers of the test's own, with settings of its own: own(config, accounts=[...])."""
    stack = []

    def make(config=None, accounts=(), **more):
        context = servers.running(config, accounts, **more)
        server = context.__enter__()
        stack.append((context, server))
        return server

    yield make
    errors = []
    for context, _server in reversed(stack):
        try:
            context.__exit__(None, None, None)
        except BaseException as error:  # every server is ended before the first failure is told
            errors.append(error)
    if errors:
        raise errors[0]


@pytest.fixture
def base_folder():
    with servers.folder() as made:
        yield made


@pytest.fixture
def program():
    """program("swaks") is its path; the test is skipped where it is not installed."""

    def find(name):
        path = shutil.which(name)
        if path is None:
            pytest.skip(f"{name} is not installed")
        return path

    return find


def pytest_collection_modifyitems(config, items):
    """Heavy tests run only where -m names them: `-m sanitized` does not."""
    if "heavy" in (config.option.markexpr or ""):
        return
    heavy = [item for item in items if item.get_closest_marker("heavy")]
    if heavy:
        config.hook.pytest_deselected(items=heavy)
        items[:] = [item for item in items if item not in heavy]


def pytest_sessionstart(session):
    if not servers.binary().exists() and not session.config.option.collectonly:
        pytest.exit(f"no binary at {servers.binary()}; build it, or name one in POSTHORN_BINARY", returncode=4)


def pytest_terminal_summary(terminalreporter):
    counts = {name: len(terminalreporter.stats.get(name, [])) for name in ("passed", "failed", "error", "skipped")}
    path = os.environ.get("POSTHORN_TEST_COUNTS")
    if path:
        failed = counts["failed"] + counts["error"]
        pathlib.Path(path).write_text(f"{counts['passed']} passed, {failed} failed, {counts['skipped']} skipped\n")
