"""The program's own commands: init, check, serve's refusals, --help."""

import os
import re
import signal
import stat
import subprocess
import tomllib

import pytest

from support.server import DOMAIN, HOSTNAME, PROTOCOLS, Server, binary, folder, free_port, hand_over, toml

pytestmark = pytest.mark.sanitized


@pytest.fixture
def site():
    """A data directory and configuration on which no server runs."""
    with folder() as base:
        yield Server(base)


def posthorn(*arguments, timeout=30):
    return subprocess.run([binary(), *map(str, arguments)], capture_output=True, text=True, timeout=timeout)


def test_init_writes_configuration_data_and_certificate(base_folder):
    place = base_folder / "new/site"
    done = posthorn("init", place, "--domain", DOMAIN, "--hostname", HOSTNAME)
    assert done.returncode == 0 and str(place) in done.stdout
    written, = place.glob("*.toml")
    settings = tomllib.loads(written.read_text())
    assert settings["server"]["hostname"] == HOSTNAME
    data = place / settings["server"]["data"]
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    certificate, key = (place / settings["tls"][name] for name in ("certificate", "key"))
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    names = subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-text"], capture_output=True, text=True).stdout
    assert f"DNS:{HOSTNAME}" in names
    assert posthorn("domain", "list", "--config", written).stdout.split() == [DOMAIN]
    comments = sum(line.startswith("#") for line in written.read_text().splitlines())
    assert comments > 30, "a commented configuration"


def test_init_overwrites_nothing(site):
    before = {path: path.read_bytes() for path in site.site.rglob("*") if path.is_file()}
    done = posthorn("init", site.site, "--domain", "other.test")
    assert done.returncode != 0 and str(site.site) in done.stderr
    assert {path: path.read_bytes() for path in site.site.rglob("*") if path.is_file()} == before


# Root has to say whom the server becomes.
AS_ROOT = ["--user", "nobody"] if os.geteuid() == 0 else []


def test_what_init_wrote_is_in_order(base_folder):
    posthorn("init", base_folder / "site", "--domain", DOMAIN, *AS_ROOT)
    done = posthorn("check", "--config", base_folder / "site/posthorn.toml")
    assert done.returncode == 0, done.stderr


def test_the_sample_configuration_documents_every_default():
    sample = Server.__init__.__globals__["ROOT"] / "etc/posthorn.toml"
    done = posthorn("check", "--config", sample)
    text = sample.read_text()
    for key in (*PROTOCOLS, "hostname", "data", "user", "group", "connections", "connections_per_address",
                "connections_per_account", "trusted", "hash_ops", "hash_memory_kib", "guess_delay_max",
                "guess_block_seconds", "certificate", "key", "allow_plaintext", "level", "format"):
        assert f"{key} =" in text, key
    # The defaults listen nowhere, and name no user for root to become; nothing else may be wrong with them.
    left_open = re.compile(r": \[(tls\] certificate|server\] user|listen\] smtp): ")
    assert all(left_open.search(line) for line in done.stderr.splitlines() if ": [" in line), done.stderr


@pytest.mark.parametrize("table, key, value, expected", [
    ("server", "hostname", 5, "string"), ("server", "hostname", "-bad-.test", "host"),
    ("limits", "connections", "many", "number"), ("limits", "connections", 0, "from 1"),
    ("limits", "connections_per_address", -1, "from 1"), ("limits", "trusted", ["nonsense"], "ADDRESS"),
    ("limits", "trusted", ["10.0.0.0/99"], "ADDRESS"), ("auth", "allow_plaintext", "sometimes", "loopback"),
    ("auth", "hash_memory_kib", 1, "8"), ("log", "format", "xml", "json"), ("log", "level", "loud", "debug"),
    ("listen", "smtp", "127.0.0.1:25", "list"), ("listen", "smtp", ["localhost"], "ADDRESS:PORT"),
    ("listen", "smtp", ["127.0.0.1:99999"], "ADDRESS:PORT"), ("listen", "imap", [25], "ADDRESS:PORT"),
    ("tls", "certificate", "/nonexistent.pem", "certificate"), ("server", "user", "no-such-user-here", "user")])
def test_check_names_file_line_key_and_what_was_expected(site, table, key, value, expected):
    site.write_config({table: {key: value}})
    line = next(number for number, text in enumerate(site.config_file.read_text().splitlines(), 1)
                if text.startswith(f"{key} =") and number > site.config_file.read_text().splitlines().index(f"[{table}]"))
    done = site.command("check", status=1)
    told = done.stderr + done.stdout
    assert f"{site.config_file}:{line}:" in told and key in told and expected in told, told
    serve = site.command("serve", status=1)
    assert f"{site.config_file}:{line}:" in serve.stderr


@pytest.mark.parametrize("text, line, word", [
    ("[server]\nhostnam = \"x\"\n", 2, "hostnam"), ("[serverr]\nhostname = \"x\"\n", 1, "serverr"),
    ("hostname = \"x\"\n", 1, "hostname"), ("[server\n", 1, ""), ("[server]\nhostname = \"a\"\nhostname = \"b\"\n", 3, ""),
    ("[limits]\nhash_ops = 1\n", 2, "[auth]")])
def test_check_of_unknown_keys_and_broken_syntax(base_folder, text, line, word):
    config = base_folder / "bad.toml"
    config.write_text(text)
    done = posthorn("check", "--config", config)
    assert done.returncode == 1 and f"{config}:{line}:" in done.stderr and word in done.stderr, done.stderr


def test_check_tells_all_problems_at_once(base_folder):
    config = base_folder / "bad.toml"
    config.write_text('[server]\nhostname = 1\n[limits]\nconnections = "x"\n[log]\nlevel = 3\n')
    told = posthorn("check", "--config", config).stderr
    assert all(f"{config}:{line}:" in told for line in (2, 4, 6))


def test_check_of_a_missing_file_and_of_a_missing_data_directory(base_folder):
    done = posthorn("check", "--config", base_folder / "nowhere.toml")
    assert done.returncode == 1 and "nowhere.toml" in done.stderr
    config = base_folder / "good.toml"
    user = {"user": "nobody"} if AS_ROOT else {}
    config.write_text(toml({"server": {"hostname": HOSTNAME, "data": str(base_folder / "missing"), **user},
                            "listen": {"smtp": ["127.0.0.1:2525"]}}))
    assert posthorn("check", "--config", config).returncode == 0, "a missing data directory is no error"
    assert not (base_folder / "missing").exists()
    assert posthorn("domain", "add", DOMAIN, "--config", config).returncode == 0
    assert stat.S_IMODE((base_folder / "missing").stat().st_mode) == 0o700


def test_init_takes_its_configuration_elsewhere(base_folder):
    (base_folder / "etc").mkdir()
    config = base_folder / "etc/mail.toml"
    done = posthorn("init", base_folder / "site", "--domain", DOMAIN, "--config", config, *AS_ROOT)
    assert done.returncode == 0, done.stderr
    assert posthorn("check", "--config", config).returncode == 0
    assert posthorn("domain", "list", "--config", config).stdout.split() == [DOMAIN]
    assert not (base_folder / "site/posthorn.toml").exists()


def test_an_init_that_fails_leaves_nothing_behind(base_folder):
    place = base_folder / "site"
    other = base_folder / "other"
    other.mkdir()
    (other / "letter").write_text("x")
    done = posthorn("init", place, "--domain", DOMAIN, "--data", other)
    assert done.returncode == 1 and str(other) in done.stderr
    assert not place.exists() and [path.name for path in other.iterdir()] == ["letter"]
    assert posthorn("init", place, "--domain", DOMAIN).returncode == 0


def test_a_certificate_of_ones_own_is_no_authority(base_folder):
    posthorn("init", base_folder / "site", "--domain", DOMAIN)
    certificate = base_folder / "site/tls/certificate.pem"
    text = subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-text"], capture_output=True, text=True).stdout
    assert "CA:FALSE" in text and "Certificate Sign" not in text
    for strict in [], ["-x509_strict"]:
        done = subprocess.run(["openssl", "verify", *strict, "-purpose", "sslserver", "-CAfile", certificate, certificate],
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("break_it, words", [
    (lambda site, other: {"server": {"data": str(other / "link")}}, "link"),
    (lambda site, other: {"server": {"data": str(other)}}, "other files"),
    (lambda site, other: {"server": {"data": str(other / "file/data")}}, "not a directory"),
    (lambda site, other: {"listen": {"imap": [f"0.0.0.0:{site.ports['smtp']}"]}}, "of smtp"),
    (lambda site, other: {"listen": {name: [] for name in PROTOCOLS}}, "[listen]"),
    (lambda site, other: {"listen": {name: None for name in PROTOCOLS}}, "[listen]"),
    (lambda site, other: {"server": {"user": ""}}, "user")])
def test_check_says_what_serve_would(site, base_folder, break_it, words):
    (base_folder / "file").write_text("x")
    (base_folder / "link").symlink_to(site.data)
    changes = break_it(site, base_folder)
    if changes == {"server": {"user": ""}} and os.geteuid() != 0:
        pytest.skip("needs root")
    if "user" in changes.get("server", {}):
        changes["server"]["group"] = ""
    site.write_config(changes)
    for command in "check", "serve":
        done = site.command(command, status=1)
        assert str(site.config_file) in done.stderr and words in done.stderr, done.stderr


def test_check_names_a_key_that_is_not_the_certificates(site, base_folder):
    posthorn("init", base_folder / "other", "--domain", DOMAIN)
    site.write_config({"tls": {"key": str(base_folder / "other/tls/key.pem")}})
    told = site.command("check", status=1).stderr
    line = 1 + next(number for number, text in enumerate(site.config_file.read_text().splitlines()) if text.startswith("key ="))
    assert f"{site.config_file}:{line}: [tls] key:" in told


def test_standard_descriptors_that_are_closed_are_no_files(site):
    """What is opened next would get their numbers."""
    line = f"exec '{binary()}' account list --config '{site.config_file}' 0<&- 1>&- 2>&-"
    assert subprocess.run(["sh", "-c", line], timeout=30).returncode == 0


def test_a_full_disk_under_the_output_is_a_failure(site):
    site.add_account()
    for line in (["account", "list", "--config", site.config_file], ["--help"]):
        with open("/dev/full", "w") as full:
            done = subprocess.run([binary(), *line], stdout=full, stderr=subprocess.PIPE, text=True, timeout=30)
        assert done.returncode == 1 and "standard output" in done.stderr


def test_a_unix_socket_goes_with_the_server(base_folder, own):
    path = base_folder / "sockets"
    path.mkdir()
    hand_over(path)
    server = own({"listen": {"pop3": [f"unix:{path}/pop3"]}})
    assert (path / "pop3").exists()
    server.stop()
    assert not (path / "pop3").exists()


def test_a_key_that_needs_a_restart_is_named_at_every_reload_until_then(own):
    server = own()
    server.write_config({"storage": {"disk_threads": 7}})
    for times in 1, 2:
        server.send_signal(signal.SIGHUP)
        server.wait_log(rf"(?s)(server\.reloaded.*){{{times}}}")
        assert server.log().count("key=disk_threads") == times
    server.write_config({"storage": {"disk_threads": None}})
    server.send_signal(signal.SIGHUP)
    server.wait_log(r"(?s)(server\.reloaded.*){3}")
    assert server.log().count("key=disk_threads") == 2


def test_config_before_or_after_the_commands_name(site):
    for line in (["--config", site.config_file, "domain", "list"], ["domain", "--config", site.config_file, "list"],
                 ["domain", "list", "--config", site.config_file]):
        assert posthorn(*line).stdout.split() == [DOMAIN], line


def test_tls_ports_without_a_certificate(site):
    site.write_config({"tls": {"certificate": None, "key": None}})
    done = site.command("check", status=1)
    assert "imaps" in done.stderr and "certificate" in done.stderr
    site.write_config({"listen": {"imaps": [], "pop3s": [], "submissions": []}})
    site.command("check")


@pytest.mark.parametrize("line", [[], ["account"], ["account", "add"], ["frobnicate"], ["serve", "--nonsense"]])
def test_wrong_arguments(line):
    done = posthorn(*line)
    assert done.returncode not in (0, 1) and done.stderr


@pytest.mark.parametrize("line", [["--help"], ["serve", "--help"], ["init", "--help"], ["account", "add", "--help"],
                                  ["check", "--help"]])
def test_help_is_worth_reading(line):
    done = posthorn(*line)
    assert done.returncode == 0 and "--config" in done.stdout and len(done.stdout.splitlines()) > 5
    if line == ["--help"]:
        assert all(word in done.stdout for word in ("init", "serve", "check", "account", "domain", "alias", "Example"))


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_root_without_a_user_is_refused(site):
    site.write_config({"server": {"user": None, "group": None}})
    done = site.command("serve", status=1)
    assert "user" in done.stderr and str(site.config_file) in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_root_is_given_up(own):
    server = own({"server": {"user": "nobody", "group": "nogroup"}})
    status = open(f"/proc/{server.process.pid}/status").read()
    ids = [line.split()[1:] for line in status.splitlines() if line.startswith(("Uid:", "Gid:"))]
    assert all("0" not in numbers for numbers in ids), ids
    groups, = (line.split()[1:] for line in status.splitlines() if line.startswith("Groups:"))
    assert "0" not in groups


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_root_binds_low_ports_and_hands_the_data_over(own):
    server = own(accounts=[f"alice@{DOMAIN}"])
    owners = {path.stat().st_uid for path in server.data.rglob("*")}
    assert owners == {server.data.stat().st_uid} and 0 not in owners


def test_an_ordinary_user_needs_no_user_key(base_folder):
    """The whole way as one: init, account, serve."""
    place = base_folder / "site"
    config = base_folder / "posthorn.toml"
    prefix = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
    hand_over(base_folder)

    def run(*arguments, stdin=""):
        return subprocess.run([*prefix, binary(), *map(str, arguments)], input=stdin, capture_output=True, text=True,
                              timeout=30)

    assert run("init", place, "--domain", DOMAIN).returncode == 0
    settings = tomllib.loads((place / "posthorn.toml").read_text())
    port = free_port()
    # Nor has one any effect: it is root alone who becomes somebody else.
    for user in (None, "no-such-user", "root", "daemon"):
        config.write_text(toml({"server": {"hostname": HOSTNAME, "data": str(place / settings["server"]["data"]),
                                           **({"user": user} if user else {})},
                                "listen": {"imap": [f"127.0.0.1:{port}"]}}))
        done = run("check", "--config", config)
        assert done.returncode == 0, done.stderr
    done = run("account", "add", f"a@{DOMAIN}", "--password-stdin", "--config", config, stdin="secret\n")
    assert done.returncode == 0, done.stderr
    process = subprocess.Popen([*prefix, binary(), "serve", "--config", config], stderr=subprocess.PIPE)
    try:
        import socket
        import time
        deadline = time.monotonic() + 20
        while True:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
                    client.sendall(f"a LOGIN a@{DOMAIN} secret\r\n".encode())
                    got = b""
                    while b"a OK" not in got:
                        more = client.recv(1000)
                        assert more, got
                        got += more
                break
            except ConnectionRefusedError:
                assert time.monotonic() < deadline and process.poll() is None
                time.sleep(0.05)
        process.terminate()
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.stderr.close()


def test_ipv6_is_listened_on(own):
    import socket
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("no IPv6 loopback here")
    port = free_port()
    server = own({"listen": {"imap": [f"[::1]:{port}"]}}, protocols=("smtp",))
    with socket.create_connection(("::1", port), timeout=10) as client:
        assert client.recv(100).startswith(b"* OK")
    assert server.is_running()


def test_an_address_in_use_is_told(own, site):
    server = own()
    site.write_config({"listen": {"imap": [f"127.0.0.1:{server.ports['imap']}"]}})
    done = site.command("serve", status=1)
    assert str(server.ports["imap"]) in done.stderr and "imap" in done.stderr


def test_a_listener_is_off_where_the_array_is_empty(own):
    server = own(protocols=("imap",))
    listening = subprocess.run(["cat", f"/proc/{server.process.pid}/net/tcp"], capture_output=True, text=True).stdout
    assert f":{server.ports['imap']:04X} " in listening
    sockets = [os.readlink(f"/proc/{server.process.pid}/fd/{name}") for name in os.listdir(f"/proc/{server.process.pid}/fd")]
    inodes = {link[8:-1] for link in sockets if link.startswith("socket:[")}
    open_ports = [row.split()[1] for row in listening.splitlines()[1:] if row.split()[3] == "0A" and row.split()[9] in inodes]
    assert len(open_ports) == 1
