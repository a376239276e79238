"""What is known of a message besides its flags: when it was saved (RFC 8514), its preview (RFC 8970)."""

import datetime

import pytest

from support.messages import message
from support.wire import ImapWire, SmtpWire

pytestmark = pytest.mark.sanitized
OLD = " 1-Mar-2021 10:00:00 +0000"


def saved(client, uid=1):
    date = client.fetch_all("SAVEDATE")[uid]["SAVEDATE"].strip('"')
    return datetime.datetime.strptime(date.strip(), "%d-%b-%Y %H:%M:%S %z")


def is_now(date):
    return abs((datetime.datetime.now(datetime.timezone.utc) - date).total_seconds()) < 120


def everything(server, account):
    with ImapWire(server) as client:
        client.greeting()
        client.login(*account)
        found = {}
        for name in ("INBOX", "Archive"):
            client.select(name)
            found[name] = client.fetch_all("SAVEDATE INTERNALDATE PREVIEW")
        return found


def test_capabilities(imap):
    offered = imap.command("CAPABILITY").of("CAPABILITY")[0].value
    assert {"SAVEDATE", "PREVIEW"} <= set(offered)


def test_save_date_is_not_the_internal_date(imap):
    """RFC 8514 §3: of APPEND and COPY it is the time of the command."""
    imap.append(message("dated"), date=OLD)
    imap.select()
    assert "2021" in imap.fetch_all("INTERNALDATE")[1]["INTERNALDATE"]
    assert is_now(saved(imap))
    imap.command("COPY 1 Archive")
    imap.command("MOVE 1 Sent")
    for name in ("Archive", "Sent"):
        imap.select(name)
        assert is_now(saved(imap))


def test_searches(imap):
    """RFC 8514 §4.3."""
    imap.append(message("dated"), date=OLD)
    imap.select()
    for keys, count in ((f"SAVEDSINCE 1-Jan-2022", 1), ("SAVEDBEFORE 1-Jan-2022", 0), ("SAVEDON 1-Mar-2021", 0),
                        ("SAVEDATESUPPORTED", 1), ("NOT SAVEDBEFORE 1-Jan-2022 BEFORE 1-Jan-2022", 1)):
        assert len(imap.command(f"SEARCH {keys}").of("SEARCH")[0].value) == count, keys


def test_a_delivery_has_date_and_preview(server, account, imap):
    with SmtpWire(server) as client:
        client.greeting()
        client.ehlo()
        client.deliver(message("delivered", 200_000), account[0])
    imap.select()
    assert is_now(saved(imap))
    # From the index; LAZY waits for nothing.
    assert imap.command("FETCH 1 PREVIEW (LAZY)").fetched()[1]["PREVIEW"].startswith(b"This is delivered. The quick")


def test_previews(imap):
    """RFC 8970 §3.2: never NIL without LAZY, empty where there is no text."""
    imap.append("Content-Type: text/html; charset=utf-8\r\n\r\n<p>Gr&uuml;&szlig;e</p> <p>aus Wien\r\n".encode())
    imap.append(b"Content-Type: image/png\r\n\r\nx\r\n")
    imap.select()
    got = imap.command("FETCH 1:2 (PREVIEW FLAGS)").fetched()
    assert got[1]["PREVIEW"].decode() == "Grüße aus Wien"
    assert got[2]["PREVIEW"] == b""
    assert r"\Seen" not in got[1]["FLAGS"]


def test_the_maildir_alone_suffices(server, account, imap):
    for number in range(5):
        imap.append(message(f"saved-{number}"), date=OLD)
    imap.select()
    imap.command("COPY 2:3 Archive")
    imap.command("MOVE 5 Archive")
    before = everything(server, account)
    index = server.maildir(account[0]).parent / "index.sqlite"
    for name in ("index.sqlite", "index.sqlite-wal", "index.sqlite-shm"):
        index.with_name(name).unlink(missing_ok=True)
    assert everything(server, account) == before


def test_threads(server, account, imap):
    """RFC 8474 §5.2: by References and subject; copies have it, and it outlives the index."""
    def reply(token, to, subject):
        return message(token).replace(b"Subject: ", f"In-Reply-To: <{to}@elsewhere.test>\r\nSubject: {subject} ".encode())

    imap.append(message("lunch"))
    imap.append(message("answer").replace(b"test answer", b"Re: test lunch").replace(
        b"Date:", b"References: <lunch@elsewhere.test>\r\nDate:"))
    imap.append(reply("other", "lunch", "Something else"))
    imap.select()
    before = imap.fetch_all("THREADID EMAILID")
    assert before[1]["THREADID"] == before[2]["THREADID"] != before[3]["THREADID"]
    assert len({each["EMAILID"] for each in before.values()}) == 3
    assert imap.command(f"SEARCH THREADID {before[1]['THREADID']}").of("SEARCH")[0].value == [1, 2]
    assert imap.command(f"SEARCH EMAILID {before[2]['EMAILID']}").of("SEARCH")[0].value == [2]
    imap.command("COPY 1:3 Archive")
    index = server.maildir(account[0]).parent / "index.sqlite"
    for name in ("index.sqlite", "index.sqlite-wal", "index.sqlite-shm"):
        index.with_name(name).unlink(missing_ok=True)
    assert imap.fetch_all("THREADID EMAILID", "Archive") == before
