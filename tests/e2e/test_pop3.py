"""POP3: RFC 1939, 2449 (CAPA) and 2595 (STLS)."""

import base64
import hashlib

import pytest

from support.messages import bodies, message
from support.wire import ImapWire, PopWire

pytestmark = pytest.mark.sanitized


@pytest.fixture
def filled(server, account):
    """The account's messages, three of them in INBOX."""
    texts = [message(f"pop-{number}", 500 * number) for number in range(1, 4)]
    with ImapWire(server) as client:
        client.greeting()
        client.login(*account)
        for text in texts:
            client.append(text)
    return texts


@pytest.fixture
def session(pop, account, filled):
    pop.login(*account)
    return pop


def test_capabilities(pop):
    names = {line.decode().split(" ")[0]: line.decode().split(" ")[1:] for line in pop.multi("CAPA")}
    assert {"USER", "TOP", "UIDL", "STLS", "PIPELINING", "RESP-CODES", "SASL"} <= set(names)
    assert {"PLAIN", "LOGIN"} <= set(names["SASL"])


def test_stat_list_uidl_retr_top(session, filled):
    assert session.command("STAT") == f"+OK 3 {sum(map(len, filled))}"
    assert session.multi("LIST") == [f"{n} {len(text)}".encode() for n, text in enumerate(filled, 1)]
    assert session.command("LIST 2").split(" ")[1:3] == ["2", str(len(filled[1]))]
    names = [line.split(b" ") for line in session.multi("UIDL")]
    assert [number for number, _ in names] == [b"1", b"2", b"3"]
    assert len({name for _, name in names}) == 3
    assert all(1 <= len(name) <= 70 and all(0x21 <= octet <= 0x7e for octet in name) for _, name in names)
    assert session.command("UIDL 2").split(" ")[1:3] == ["2", names[1][1].decode()]
    assert session.retrieve(3) == filled[2]
    head, _, body = filled[2].partition(b"\r\n\r\n")
    assert session.multi("TOP 3 2") == head.split(b"\r\n") + [b""] + body.split(b"\r\n")[:2]
    assert session.multi("TOP 3 0") == head.split(b"\r\n") + [b""]
    assert b"\r\n".join(session.multi("TOP 3 99999")) + b"\r\n" == filled[2]


def test_arguments_out_of_range(session):
    for line in ("RETR 4", "RETR 0", "RETR", "RETR x", "DELE 99999999999999999999", "LIST 4", "UIDL 0", "TOP 1",
                 "TOP 1 -1", "TOP 9 1", "RETR 1 2"):
        session.command(line, ok=False)
    session.command("NOOP")


def test_deletions_happen_at_quit(server, account, session, filled):
    """RFC 1939 §6: the UPDATE state."""
    session.command("DELE 2")
    session.command("RETR 2", ok=False)
    session.command("DELE 2", ok=False)
    assert session.command("STAT") == f"+OK 2 {len(filled[0]) + len(filled[2])}"
    assert [line.split(b" ")[0] for line in session.multi("LIST")] == [b"1", b"3"]
    assert len(bodies(server, account)) == 3
    session.command("QUIT")
    assert session.at_end()
    assert bodies(server, account) == [filled[0], filled[2]]


def test_rset_and_a_lost_connection_delete_nothing(server, account, session, filled):
    session.command("DELE 1")
    session.command("RSET")
    assert session.command("STAT").startswith("+OK 3 ")
    session.command("DELE 1")
    session.close()
    assert bodies(server, account) == filled


def test_the_maildrop_stays_as_it_was_at_login(server, account, session, filled):
    with ImapWire(server) as client:
        client.greeting()
        client.login(*account)
        client.append(message("later"))
    assert session.command("STAT").startswith("+OK 3 ")
    session.command("RETR 4", ok=False)
    session.command("QUIT")
    with PopWire(server) as again:
        again.greeting()
        again.login(*account)
        assert again.command("STAT").startswith("+OK 4 ")


def test_imap_sees_deletions_as_expunge(server, account, session):
    with ImapWire(server) as client:
        client.greeting()
        client.login(*account)
        client.select()
        tag = client.idle()
        session.command("DELE 2")
        session.command("QUIT")
        response, _ = client.wait_for("EXPUNGE")
        assert response.number == 2
        client.done(tag)


def test_a_message_expunged_by_imap_is_told_and_others_stay(server, account, session, filled):
    with ImapWire(server) as client:
        client.greeting()
        client.login(*account)
        client.select()
        client.command(r"STORE 1 +FLAGS.SILENT (\Deleted)")
        client.command("EXPUNGE")
    assert session.retrieve(2) == filled[1]
    session.send_line("RETR 1")
    answer = session.answer(ok=None)
    if answer.startswith("+OK"):
        assert b"\r\n".join(session.lines()) + b"\r\n" == filled[0]
    session.command("QUIT")
    assert bodies(server, account) == filled[1:]


def test_uidl_is_stable_for_the_life_of_a_message(server, account, session):
    before = dict(line.split(b" ") for line in session.multi("UIDL"))
    session.command("DELE 1")
    session.command("QUIT")
    with PopWire(server) as again:
        again.greeting()
        again.login(*account)
        after = dict(line.split(b" ") for line in again.multi("UIDL"))
    assert after == {b"1": before[b"2"], b"2": before[b"3"]}


def test_auth_plain_and_login(server, account):
    address, password = (text.encode() for text in account)
    token = base64.b64encode(b"\0" + address + b"\0" + password).decode()

    def fresh():
        client = PopWire(server)
        client.greeting()
        return client

    with fresh() as client:
        client.command(f"AUTH PLAIN {token}")
        client.command("STAT")
    with fresh() as client:
        client.send_line("AUTH PLAIN")
        assert client.read_line() == b"+ "
        client.command(token)
    with fresh() as client:
        client.send_line("AUTH LOGIN")
        assert client.read_line().startswith(b"+ ")
        client.send_line(base64.b64encode(address))
        assert client.read_line().startswith(b"+ ")
        client.command(base64.b64encode(password))
    with fresh() as client:
        client.send_line("AUTH PLAIN")
        client.read_line()
        client.command("*", ok=False)
        client.login(*account)


def test_wrong_password_and_unknown_user_get_the_same_words(server, account):
    answers = []
    for address in (account[0], "nobody-here@example.test"):
        with PopWire(server) as client:
            client.greeting()
            client.command(f"USER {address}")
            answers.append(client.command("PASS wrong", ok=False))
    assert answers[0] == answers[1] and "[AUTH]" in answers[0]  # RFC 3206


def test_states(server, account, pop):
    for line in ("STAT", "LIST", "RETR 1", "DELE 1", "UIDL", "TOP 1 1", "RSET", "PASS early"):
        pop.command(line, ok=False)
    pop.login(*account)
    for line in ("USER again", "AUTH PLAIN", "STLS"):
        pop.command(line, ok=False)
    pop.command("NONSENSE", ok=False)
    pop.command("noop")


def test_pipelining(server, account, filled):
    """RFC 2449 §6.6."""
    with PopWire(server) as client:
        client.greeting()
        client.send(f"USER {account[0]}\r\nPASS {account[1]}\r\nSTAT\r\nLIST\r\nDELE 1\r\nQUIT\r\n")
        for _ in range(3):
            client.answer()
        client.answer()
        assert len(client.lines()) == 3
        client.answer()
        client.answer()
        assert client.at_end()
    assert len(bodies(server, account)) == 2


def test_an_empty_maildrop(pop, account):
    pop.login(*account)
    assert pop.command("STAT") == "+OK 0 0"
    assert pop.multi("LIST") == [] and pop.multi("UIDL") == []


def test_sizes_are_those_of_what_is_sent(server, account):
    """RFC 1939 §5, §11: with the line end that RETR adds to a message without one; also after a loss of the index."""
    texts = [b"Subject: no end\r\n\r\ntext", b"Subject: all well\r\n\r\ntext\r\n"]
    with ImapWire(server) as client:
        client.greeting()
        client.login(*account)
        for text in texts:
            client.append(text)
    (server.maildir(account[0]) / "new" / "1700000000.M1P1.elsewhere").write_bytes(b"Subject: mixed\r\n\r\none\ntwo\r\nthree")
    for lost in (False, True):
        if lost:
            server.index(account[0]).unlink()
        with PopWire(server) as client:
            client.greeting()
            client.login(*account)
            sizes = [int(line.split(b" ")[1]) for line in client.multi("LIST")]
            sent = [client.retrieve(number) for number in (1, 2, 3)]
            assert client.command("STAT") == f"+OK 3 {sum(sizes)}"
        # Of a message with bare LFs that other programs left, the index alone remembers how many.
        checked = 2 if lost else 3
        assert sizes[:checked] == [len(text) for text in sent][:checked]


def test_a_foreign_file_of_mixed_line_ends_goes_out_in_crlf(server, account):
    """RFC 1939 §3: every line of a response ends in CRLF."""
    bodies(server, account)  # makes the Maildir
    mixed = b"Subject: mixed\r\n\r\none\n.two\r\nthree\n\nfour"
    (server.maildir(account[0]) / "new" / "1700000000.M1P1.elsewhere").write_bytes(mixed)
    with PopWire(server) as client:
        client.greeting()
        client.login(*account)
        assert client.retrieve(1) == b"Subject: mixed\r\n\r\none\r\n.two\r\nthree\r\n\r\nfour\r\n"


def test_too_many_connections_of_an_account_have_their_own_words(own):
    """RFC 3206 §4: the mailbox is not in use by another session (RFC 2449 §8.1.2)."""
    server = own({"limits": {"connections_per_account": 1, "trusted": []}}, accounts=["alice@example.test"])
    account = ("alice@example.test", server.accounts["alice@example.test"])
    with ImapWire(server) as first, PopWire(server) as second:
        first.greeting()
        first.login(*account)
        second.greeting()
        second.command(f"USER {account[0]}")
        assert second.command(f"PASS {account[1]}", ok=False).startswith("-ERR [SYS/TEMP] ")


def test_many_messages_in_order(server, account):
    texts = [message(f"many-{number}") for number in range(200)]
    with ImapWire(server) as client:
        client.greeting()
        client.login(*account)
        for text in texts:
            client.append(text)
    with PopWire(server) as client:
        client.greeting()
        client.login(*account)
        client.send("".join(f"RETR {number}\r\n" for number in range(1, 201)))
        for text in texts:
            client.answer()
            got = b"\r\n".join(client.lines()) + b"\r\n"
            assert hashlib.sha256(got).digest() == hashlib.sha256(text).digest()
