"""Accounts, domains and aliases: with the server running and stopped, and at once."""

import os
import pty
import shutil
import signal
import termios
import threading

import pytest

from support.messages import bodies, message
from support.server import DOMAIN, Server, binary, folder
from support.wire import ImapWire, SmtpWire

pytestmark = pytest.mark.sanitized
CAROL = f"carol@{DOMAIN}"


@pytest.fixture(params=["running", "stopped"])
def site(request):
    with folder() as base:
        server = Server(base)
        try:
            if request.param == "running":
                server.start()
            yield server
            server.stop()
        finally:
            server.kill()


def login(server, address, password, status="OK"):
    running = server.is_running()
    if not running:
        server.start()
    with ImapWire(server) as client:
        client.greeting()
        client.login(address, password, status)
    if not running:
        server.stop()


def listed(server, kind):
    return sorted(server.command(kind, "list").stdout.splitlines())


def test_accounts(site):
    alice, bob = f"alice@{DOMAIN}", f"Bob@{DOMAIN}"
    site.command("account", "add", alice, "--password-stdin", stdin="first\nsecond line\n")
    site.command("account", "add", bob, "--password-stdin", stdin="pass wörd")
    assert [line.split()[0] for line in listed(site, "account")] == [alice, bob.lower()]
    login(site, alice, "first")
    login(site, alice, "second line", "NO")
    login(site, bob, "pass wörd")
    done = site.command("account", "add", alice, "--password-stdin", stdin="x\n", status=1)
    assert alice in done.stderr
    site.command("account", "password", alice, "--password-stdin", stdin="changed\r\n")
    login(site, alice, "first", "NO")
    login(site, alice, "changed")
    site.command("account", "remove", alice)
    login(site, alice, "changed", "NO")
    assert [line.split()[0] for line in listed(site, "account")] == [bob.lower()]
    site.command("account", "remove", alice, status=1)
    site.command("account", "password", alice, "--password-stdin", stdin="x\n", status=1)


@pytest.mark.parametrize("address", ["nodomain", "a@unknown.test", "@example.test", "a b@example.test", "../x@example.test/..",
                                     "", "a@b@example.test"])
def test_bad_addresses_are_refused(site, address):
    before = listed(site, "account")
    done = site.command("account", "add", address, "--password-stdin", stdin="x\n", status=None)
    assert done.returncode in (1, 2) and done.stderr
    assert listed(site, "account") == before


def test_an_empty_password_is_refused(site):
    site.command("account", "add", f"a@{DOMAIN}", "--password-stdin", stdin="\n", status=1)
    assert listed(site, "account") == []


def test_domains(site):
    site.command("domain", "add", "Other.Test")
    assert listed(site, "domain") == [DOMAIN, "other.test"]
    site.command("domain", "add", "other.test", status=1)
    site.command("domain", "add", "not a domain", status=1)
    site.command("account", "add", "a@other.test", "--password-stdin", stdin="x\n")
    login(site, "a@OTHER.test", "x")
    site.command("domain", "remove", "other.test", status=1)  # it has accounts
    site.command("account", "remove", "a@other.test")
    site.command("domain", "remove", "other.test")
    assert listed(site, "domain") == [DOMAIN]


def test_an_international_domain(site):
    site.command("domain", "add", "bücher.test")
    assert "xn--bcher-kva.test" in " ".join(listed(site, "domain")) or "bücher.test" in listed(site, "domain")
    site.command("account", "add", "leser@bücher.test", "--password-stdin", stdin="x\n")
    login(site, "leser@xn--bcher-kva.test", "x")


def test_aliases(site):
    accounts = [site.add_account() for _ in range(2)]
    site.command("alias", "add", f"team@{DOMAIN}", accounts[0][0])
    site.command("alias", "add", f"team@{DOMAIN}", accounts[1][0])
    site.command("alias", "add", f"all@{DOMAIN}", f"team@{DOMAIN}")
    assert len(listed(site, "alias")) == 3
    if not site.is_running():
        site.start()
    with SmtpWire(site) as client:
        client.greeting()
        client.ehlo()
        client.deliver(message("to the team"), f"Team@{DOMAIN}")
        client.deliver(message("through two"), f"all@{DOMAIN}", accounts[0][0])
    for account in accounts:
        assert len(bodies(site, account)) == 2, "once each, by however many ways"
    site.command("alias", "remove", f"team@{DOMAIN}", accounts[0][0])
    site.command("alias", "remove", f"team@{DOMAIN}", accounts[0][0], status=1)
    site.command("alias", "remove", f"all@{DOMAIN}")
    with SmtpWire(site) as client:
        client.greeting()
        client.ehlo()
        client.deliver(message("to the rest"), f"team@{DOMAIN}")
        client.command("MAIL FROM:<a@elsewhere.test>", 250)
        client.command(f"RCPT TO:<all@{DOMAIN}>", 550)
    assert [len(bodies(site, account)) for account in accounts] == [2, 3]


def test_an_alias_for_postmaster_takes_its_mail(site):
    first, second = site.add_account(), site.add_account()
    site.command("alias", "add", f"postmaster@{DOMAIN}", second[0])
    if not site.is_running():
        site.start()
    with SmtpWire(site) as client:
        client.greeting()
        client.ehlo()
        client.deliver(message("complaint"), "postmaster")
    assert [len(bodies(site, account)) for account in (first, second)] == [0, 1]


def test_an_alias_to_another_server_is_refused_in_clear_words(site):
    member = site.add_account()
    site.command("alias", "add", f"team@{DOMAIN}", member[0])
    done = site.command("alias", "add", f"team@{DOMAIN}", "x@remote.test", status=1)
    assert "x@remote.test is on another server" in done.stderr
    assert len(listed(site, "alias")) == 1


def test_an_alias_goes_on_without_a_target_that_is_removed(site):
    stays, goes = site.add_account(), site.add_account()
    for member in stays, goes:
        site.command("alias", "add", f"team@{DOMAIN}", member[0])
    site.command("alias", "add", f"lost@{DOMAIN}", goes[0])
    site.command("alias", "add", f"postmaster@{DOMAIN}", goes[0])
    told = site.command("account", "remove", goes[0]).stderr
    assert all(f"{name}@{DOMAIN} still leads to {goes[0]}" in told for name in ("team", "lost", "postmaster"))
    if not site.is_running():
        site.start()
    with SmtpWire(site) as client:
        client.greeting()
        client.ehlo()
        client.deliver(message("to the rest"), f"team@{DOMAIN}")
        client.deliver(message("complaint"), f"postmaster@{DOMAIN}")
        client.command("MAIL FROM:<a@elsewhere.test>", 250)
        client.command(f"RCPT TO:<lost@{DOMAIN}>", 550)
    assert len(bodies(site, stays)) == 2
    assert f"target={goes[0]}" in site.log()


def test_postmaster_of_an_empty_domain(own):
    server = own({"server": {"hostname": "mail.empty.test"}})
    with SmtpWire(server) as client:
        client.greeting()
        client.ehlo()
        client.command("MAIL FROM:<a@elsewhere.test>", 250)
        assert client.command("RCPT TO:<postmaster>").code // 100 == 4, "there is nobody yet"
        account = server.add_account()
        server.command("domain", "add", "empty.test")
        assert client.command("RCPT TO:<postmaster@empty.test>").code // 100 == 4
        client.command("RCPT TO:<postmaster>", 250)
        client.command("RSET", 250)
        client.deliver(message("complaint"), "postmaster")
    assert len(bodies(server, account)) == 1


def test_an_empty_argument_is_not_one_that_was_not_given(site):
    account = site.add_account()
    site.command("alias", "add", f"team@{DOMAIN}", account[0])
    for line in (["alias", "remove", f"team@{DOMAIN}", ""], ["account", "list", ""], ["domain", "remove", ""]):
        done = site.command(*line, status=2)
        assert done.stderr and not done.stdout
    assert len(listed(site, "alias")) == 1


def test_a_changed_password_ends_the_sessions_of_the_former_one(own):
    server = own()
    account, other = server.add_account(), server.add_account()
    with ImapWire(server) as client, ImapWire(server) as second:
        client.greeting()
        client.login(*account)
        second.greeting()
        second.login(*other)
        server.command("account", "password", account[0], "--password-stdin", stdin="changed\n")
        with pytest.raises((EOFError, OSError, AssertionError)):
            client.command("NOOP")
        second.command("NOOP")
    login(server, account[0], "changed")


def test_aliases_that_go_round_in_a_circle_do_no_harm(site):
    account = site.add_account()
    site.command("alias", "add", f"a@{DOMAIN}", f"b@{DOMAIN}", status=None)
    site.command("alias", "add", f"b@{DOMAIN}", f"a@{DOMAIN}", status=None)
    site.command("alias", "add", f"b@{DOMAIN}", account[0], status=None)
    if not site.is_running():
        site.start()
    with SmtpWire(site) as client:
        client.greeting()
        client.ehlo()
        client.command("MAIL FROM:<x@elsewhere.test>", 250)
        client.command(f"RCPT TO:<a@{DOMAIN}>")
        client.command("NOOP", 250)


def test_changes_take_effect_at_once_in_open_sessions(own):
    server = own()
    with SmtpWire(server) as client:
        client.greeting()
        client.ehlo()
        client.command("MAIL FROM:<a@elsewhere.test>", 250)
        client.command(f"RCPT TO:<late@{DOMAIN}>", 550)
        account = server.add_account(f"late@{DOMAIN}")
        client.command(f"RCPT TO:<late@{DOMAIN}>", 250)
        client.command("RSET", 250)
        server.command("account", "remove", account[0])
        client.command("MAIL FROM:<a@elsewhere.test>", 250)
        client.command(f"RCPT TO:<late@{DOMAIN}>", 550)


def test_a_removed_account_is_gone_with_its_mail(own):
    server = own()
    account = server.add_account()
    with ImapWire(server) as client:
        client.greeting()
        client.login(*account)
        client.append(message("secret"))
        server.command("account", "remove", account[0])
    assert not server.maildir(account[0]).exists()
    server.add_account(account[0], "another password")
    assert bodies(server, (account[0], "another password")) == []


def test_a_removal_that_was_cut_off_is_finished(own):
    """The account is gone, its mail is not, and the server dies: nobody gets that mail later."""
    server = own(accounts=[CAROL])
    account = (CAROL, server.accounts[CAROL])
    with ImapWire(server) as client:
        client.greeting()
        client.login(*account)
        client.append(message("old letter"))
    obstacle = server.data / "deleted"
    shutil.rmtree(obstacle, ignore_errors=True)
    obstacle.write_text("in the way")
    assert "its mail is not" in server.command("account", "remove", CAROL, status=1).stderr
    login(server, *account, "NO")
    server.command("account", "add", CAROL, "--password-stdin", stdin="new\n", status=1)
    server.kill()
    obstacle.unlink()
    server.start()
    server.wait_log("account.removal_finished")
    assert not server.account_folder(CAROL).exists()
    server.command("account", "remove", CAROL, status=1)
    server.command("account", "add", CAROL, "--password-stdin", stdin="new\n")
    assert bodies(server, (CAROL, "new")) == []


def test_mail_without_an_account_is_kept_and_adopted(own):
    """Whoever has lost accounts.sqlite gets the mail back, but only by asking for it."""
    server = own(accounts=[CAROL])
    with ImapWire(server) as client:
        client.greeting()
        client.login(CAROL, server.accounts[CAROL])
        client.append(message("old letter"))
    server.stop()
    for path in server.data.glob("accounts.sqlite*"):
        path.unlink()
    server.command("domain", "add", DOMAIN)
    server.start()
    refused = server.command("account", "add", CAROL, "--password-stdin", stdin="new\n", status=1)
    assert "--adopt-mail" in refused.stderr
    server.command("account", "add", CAROL, "--adopt-mail", "--password-stdin", stdin="new\n")
    assert bodies(server, (CAROL, "new")) == [message("old letter")]


def test_commands_at_the_same_time(site):
    errors = []

    def add(number):
        try:
            site.command("account", "add", f"many{number}@{DOMAIN}", "--password-stdin", stdin="x\n")
        except Exception as error:
            errors.append(error)

    # A server lets them wait for their turn; without one each tries for the data by itself.
    count = 60 if site.is_running() else 8
    threads = [threading.Thread(target=add, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(listed(site, "account")) == count


def test_a_second_server_on_the_same_data_says_so_and_stops(own):
    first = own()
    second = Server.__new__(Server)
    second.__dict__.update(first.__dict__)
    done = first.command("serve", status=1, timeout=20)
    assert str(first.data) in done.stderr
    assert first.is_running()
    with ImapWire(first) as client:
        client.greeting()


def test_the_control_socket_is_the_owners_alone(own):
    server = own()
    mode = (server.data / "control.sock").stat().st_mode & 0o777
    assert mode == 0o600
    assert server.data.stat().st_mode & 0o777 == 0o700


def test_no_password_is_stored_in_plain(own):
    server = own()
    server.add_account(f"a@{DOMAIN}", "TellNobodyOfThis")
    server.stop()
    for path in server.data.rglob("*"):
        if path.is_file():
            assert b"TellNobodyOfThis" not in path.read_bytes(), path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_password_prompt_leaves_the_terminal_with_its_echo(own, number):
    server = own()
    child, terminal = pty.fork()
    if child == 0:
        # Where the tests themselves run in the background, it is ignored, and what is ignored is inherited.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.execve(binary(), [str(binary()), "account", "add", CAROL, "--config", str(server.config_file)], server.environment)
    try:
        def echo():
            return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)

        shown = b""
        while not shown.endswith(b": "):
            shown += os.read(terminal, 1000)
        assert CAROL.encode() in shown and not echo()
        os.write(terminal, b"half a pass")
        if number == signal.SIGINT:
            os.write(terminal, b"\x03")
        else:
            os.kill(child, number)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -number
        child = 0
        assert echo()
    finally:
        if child:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        os.close(terminal)
