"""The npm package imapflow (Node): each extension that it knows, with the proof that it used it."""

import base64

import pytest

from support.imapflow import FOLDER, CallFailed, Driver, octets
from support.messages import message
from support.wire import SmtpWire

pytestmark = pytest.mark.sanitized

UID = {"uid": True}
EVERYTHING = {"uid": True, "flags": True}


@pytest.fixture(scope="module")
def _driver():
    found = []

    def start(node):
        if not found:
            found.append(Driver(node))
        return found[0]

    yield start
    for driver in found:
        driver.close()


@pytest.fixture
def connect(_driver, program, server, account):
    """connect(**options) is a client of imapflow; nothing that it asked for may have been refused."""
    node = program("node")
    if not (FOLDER / "node_modules").exists():
        pytest.skip("imapflow is not installed")
    driver = _driver(node)
    clients = []

    def make(**options):
        clients.append(driver.client(server, account, **options))
        return clients[-1]

    yield make
    for client in clients:
        client.drop()
        client.check()


@pytest.fixture
def wire(imap):
    """Another session of the same account, with INBOX open."""
    imap.select()
    return imap


def deliver(server, account, text):
    with SmtpWire(server) as client:
        client.greeting()
        client.ehlo()
        client.deliver(text, account[0])


def by_uid(messages):
    return {each["uid"]: each for each in messages}


@pytest.mark.parametrize("mode", ["plaintext", "starttls", "implicit"])
def test_a_session(connect, server, account, mode):
    client = connect(**{"plaintext": {}, "starttls": {"doSTARTTLS": True}, "implicit": {"secure": True}}[mode])
    assert client.get("authenticated") is True
    assert client.get("secureConnection") is (mode != "plaintext")
    assert client.get("serverInfo.name") == "Posthorn"
    text = message("letter", 5000)
    appended = client.append("INBOX", text.decode(), [r"\Flagged", "$Work"], "2021-03-01T10:00:00.000Z")
    opened = client.mailboxOpen("INBOX")
    assert (opened["exists"], opened["uidNext"], opened["uidValidity"]) == (1, appended["uid"] + 1, appended["uidValidity"])
    one = client.fetchOne("1", {"uid": True, "flags": True, "envelope": True, "bodyStructure": True, "internalDate": True,
                                "size": True, "source": True, "headers": ["Subject"], "bodyParts": ["TEXT"]})
    assert octets(one["source"]) == text and one["size"] == len(text)
    assert (one["envelope"]["subject"], one["envelope"]["from"][0]["address"]) == ("test letter", "sender@elsewhere.test")
    assert set(one["flags"]) >= {r"\Flagged", "$Work"} and one["internalDate"] == "2021-03-01T10:00:00.000Z"
    assert one["bodyStructure"]["type"] == "text/plain"
    assert octets(one["headers"]) == b"Subject: test letter\r\n\r\n"
    assert octets(one["bodyParts"]["text"]) == text.partition(b"\r\n\r\n")[2]
    client.logout()
    assert client.wait("close")


def test_compress(connect):
    """RFC 4978: what arrives is a small part of what was sent."""
    client = connect()
    text = message("large", 1 << 20)
    assert client.octets()["compressed"] and "C: COMPRESS DEFLATE" in client.lines()
    client.append("INBOX", text.decode())
    client.mailboxOpen("INBOX")
    before = client.octets()["read"]
    assert octets(client.fetchOne("1", {"source": True})["source"]) == text
    assert 0 < client.octets()["read"] - before < len(text) / 20

    plain = connect(disableCompression=True)
    assert not plain.octets()["compressed"]


def test_compress_inside_tls(connect):
    client = connect(secure=True)
    assert client.octets()["compressed"]
    client.append("INBOX", message("small").decode())
    client.mailboxOpen("INBOX")
    assert octets(client.fetchOne("1", {"source": True})["source"]) == message("small")


def test_enable(connect):
    """RFC 5161: CONDSTORE always, QRESYNC where it is wanted, IMAP4rev2 where it is offered."""
    client = connect()
    enabled, offered = set(client.get("enabled")), set(client.get("capabilities"))
    assert "CONDSTORE" in enabled and "QRESYNC" not in enabled
    assert ("IMAP4REV2" in enabled) == ("IMAP4rev2" in offered)
    assert set(connect(qresync=True).get("enabled")) >= {"CONDSTORE", "QRESYNC"}


def test_condstore(connect, wire):
    """RFC 7162 §3.1: MODSEQ in FETCH, CHANGEDSINCE, UNCHANGEDSINCE."""
    for number in range(5):
        wire.append(message(f"letter-{number}"))
    client = connect()
    modseq = client.mailboxOpen("INBOX")["highestModseq"]
    assert modseq >= 1
    all_of_them = by_uid(client.fetchAll("1:*", {**EVERYTHING}, UID))
    assert len(all_of_them) == 5 and max(each["modseq"] for each in all_of_them.values()) == modseq
    wire.command(r"UID STORE 2,4 +FLAGS (\Seen)")
    changed = by_uid(client.fetchAll("1:*", {**EVERYTHING}, {"uid": True, "changedSince": modseq}))
    assert sorted(changed) == [2, 4] and all(r"\Seen" in each["flags"] for each in changed.values())
    assert all(each["modseq"] > modseq for each in changed.values())
    assert any(f"(CHANGEDSINCE {modseq})" in line for line in client.lines("C: UID FETCH"))

    client.start_over()
    assert client.messageFlagsAdd("1:5", [r"\Answered"], {"uid": True, "unchangedSince": modseq})
    assert any(f"(UNCHANGEDSINCE {modseq})" in line for line in client.lines("C: UID STORE"))
    answered = [uid for uid, items in wire.fetch_all("FLAGS").items() if r"\Answered" in items["FLAGS"]]
    assert answered == [1, 3, 5]
    assert any("MODIFIED 2,4" in line for line in client.lines("S: OK"))
    assert client.status("INBOX", {"highestModseq": True})["highestModseq"] > modseq
    assert client.search({"modseq": modseq + 1}, UID) == [1, 2, 3, 4, 5]


def test_qresync(connect, wire):
    """RFC 7162 §3.2.5: what changed and what vanished while the client was away, as it opens the mailbox."""
    for number in range(6):
        wire.append(message(f"letter-{number}"))
    client = connect(qresync=True)
    opened = client.mailboxOpen("INBOX")
    client.logout()
    wire.command(r"UID STORE 1,5 +FLAGS.SILENT (\Deleted)")
    wire.command("EXPUNGE")
    wire.command(r"UID STORE 3 +FLAGS (\Flagged)")
    wire.append(message("fresh"))

    client = connect(qresync=True)
    again = client.mailboxOpen("INBOX", {"uidValidity": opened["uidValidity"], "changedSince": opened["highestModseq"]})
    assert again["qresync"] and again["exists"] == 5 and again["highestModseq"] > opened["highestModseq"]
    assert any(f"(QRESYNC ({opened['uidValidity']} {opened['highestModseq']}))" in line for line in client.lines("C: SELECT"))
    assert [(event["uid"], event["vanished"], event["earlier"]) for event in client.events("expunge")] == [
        (1, True, True), (5, True, True)]
    assert {event["uid"]: r"\Flagged" in event["flags"] for event in client.events("flags")} == {3: True, 7: False}
    assert not client.lines("S: * 1 EXPUNGE")

    # UID FETCH with VANISHED, §3.2.6.
    client.start_over()
    wire.command(r"UID STORE 4 +FLAGS.SILENT (\Deleted)")
    wire.command("UID EXPUNGE 4")
    changed = by_uid(client.fetchAll("1:*", EVERYTHING, {"uid": True, "changedSince": again["highestModseq"]}))
    assert changed == {} and client.get("mailbox.exists") == 4
    assert any("VANISHED" in line for line in client.lines("C: UID FETCH"))
    assert {event["uid"] for event in client.events("expunge")} == {4}


def test_qresync_after_nothing(connect, wire):
    wire.append(message("letter"))
    client = connect(qresync=True)
    opened = client.mailboxOpen("INBOX")
    client.start_over()
    again = client.mailboxOpen("INBOX", {"uidValidity": opened["uidValidity"], "changedSince": opened["highestModseq"]})
    assert again["highestModseq"] == opened["highestModseq"] and again["exists"] == 1
    assert client.events("expunge") == [] and client.events("flags") == []


@pytest.mark.parametrize("qresync", [False, True])
def test_idle(connect, server, account, wire, qresync):
    """RFC 2177: a delivery, flags and an expunge by others are pushed."""
    for number in range(3):
        wire.append(message(f"letter-{number}"))
    client = connect(qresync=qresync)
    client.mailboxOpen("INBOX")
    client.start_idle()
    deliver(server, account, message("delivered"))
    assert client.wait("exists")[0] == {"path": "INBOX", "count": 4, "prevCount": 3}
    wire.command(r"UID STORE 2 +FLAGS (\Flagged)")
    flags = client.wait("flags")[0]
    assert flags["seq"] == 2 and r"\Flagged" in flags["flags"] and flags["modseq"] > 1
    # RFC 7162 §3.2.10: UID stands beside MODSEQ once QRESYNC is on.
    assert flags.get("uid") == 2 or not qresync
    wire.command(r"UID STORE 1 +FLAGS.SILENT (\Deleted)")
    wire.command("UID EXPUNGE 1")
    gone = client.wait("expunge")[0]
    assert gone == ({"path": "INBOX", "uid": 1, "vanished": True, "earlier": False} if qresync else
                    {"path": "INBOX", "seq": 1, "vanished": False})
    assert client.get("idling") and client.get("mailbox.exists") == 3
    # A command ends it, and the mailbox is as the server has it.
    assert sorted(by_uid(client.fetchAll("1:*", EVERYTHING))) == [2, 3, 4]
    assert "C: DONE" in client.lines() or client.get("idling") is False


def test_notices_without_idle(connect, wire):
    """RFC 3501 §7: a NOOP brings them."""
    wire.append(message("letter-0"))
    wire.append(message("letter-1"))
    client = connect()
    client.mailboxOpen("INBOX")
    wire.command(r"UID STORE 1 +FLAGS.SILENT (\Deleted)")
    wire.command("EXPUNGE")
    wire.append(message("letter-2"))
    wire.append(message("letter-3"))
    client.start_over()
    client.noop()
    assert [event["seq"] for event in client.events("expunge")] == [1]
    assert client.events("exists")[-1]["count"] == 3


def test_object_ids(connect, wire):
    """RFC 8474: copies keep EMAILID and THREADID, a renamed mailbox keeps MAILBOXID."""
    wire.append(message("question"))
    wire.append(message("reply").replace(b"Subject: test reply", b"Subject: Re: test question\r\nIn-Reply-To: <question@elsewhere.test>"))
    wire.append(message("stranger"))
    client = connect()
    client.mailboxOpen("INBOX")
    query = {"uid": True, "threadId": True}
    first = by_uid(client.fetchAll("1:*", query))
    assert first[1]["threadId"] == first[2]["threadId"] != first[3]["threadId"]
    assert len({each["emailId"] for each in first.values()}) == 3
    assert client.search({"emailId": first[3]["emailId"]}, UID) == [3]
    assert client.search({"threadId": first[1]["threadId"]}, UID) == [1, 2]
    client.messageCopy("1:3", "Archive", UID)
    opened = client.mailboxOpen("Archive")
    again = by_uid(client.fetchAll("1:*", query))
    assert [again[uid]["emailId"] for uid in (1, 2, 3)] == [first[uid]["emailId"] for uid in (1, 2, 3)]
    made = client.mailboxCreate("Before")
    assert made["created"] and made["mailboxId"]
    client.mailboxRename("Before", "After")
    assert client.mailboxOpen("After")["mailboxId"] == made["mailboxId"] != opened["mailboxId"]


def test_special_use(connect):
    """RFC 6154: by the server's word, not by imapflow's guess from the names."""
    client = connect()
    found = {entry["specialUse"]: entry for entry in client.list() if entry.get("specialUse")}
    assert {name: entry["path"] for name, entry in found.items()} == {
        r"\Inbox": "INBOX", r"\Sent": "Sent", r"\Drafts": "Drafts", r"\Trash": "Trash", r"\Junk": "Junk", r"\Archive": "Archive"}
    assert all(entry["specialUseSource"] == "extension" for name, entry in found.items() if name != r"\Inbox")


def test_list_status(connect, wire):
    """RFC 5819 and RFC 5258: names, subscriptions and counts of all mailboxes by one command."""
    wire.append(message("one"))
    wire.append(message("two"), flags=r"\Seen")
    client = connect()
    client.mailboxCreate("Projekte/Übung/日本語")
    client.mailboxUnsubscribe("Projekte/Übung/日本語")
    client.start_over()
    found = {entry["path"]: entry for entry in client.list({"statusQuery": {
        "messages": True, "unseen": True, "uidNext": True, "highestModseq": True}})}
    assert {key: found["INBOX"]["status"][key] for key in ("messages", "unseen", "uidNext")} == {
        "messages": 2, "unseen": 1, "uidNext": 3}
    deep = found["Projekte/Übung/日本語"]
    assert deep["parent"] == ["Projekte", "Übung"] and deep["status"]["messages"] == 0
    assert found["INBOX"]["subscribed"] and not deep.get("subscribed")
    assert len(client.lines("C: ")) == 1 and "RETURN" in client.lines("C: LIST")[0]


def test_mailboxes(connect):
    """Created, subscribed, renamed with what is below it, deleted; names outside of ASCII."""
    client = connect()
    assert client.mailboxCreate(["Entwürfe", "日本語", "R&D"]) ["path"] == "Entwürfe/日本語/R&D"
    assert client.mailboxCreate("Entwürfe/日本語/R&D")["created"] is False
    client.mailboxSubscribe("Entwürfe/日本語")
    moved = client.mailboxRename("Entwürfe", "Ideen 🎈")
    assert moved["newPath"] == "Ideen 🎈"
    paths = {entry["path"] for entry in client.list()}
    assert {"Ideen 🎈/日本語", "Ideen 🎈/日本語/R&D"} <= paths and not any(path.startswith("Entw") for path in paths)
    client.mailboxDelete("Ideen 🎈/日本語/R&D")
    assert "Ideen 🎈/日本語/R&D" not in {entry["path"] for entry in client.list()}
    # "It is there already" is the one refusal of this test.
    assert [line for line in client.lines("S: NO")] == [line for line in client.lines("S: NO [ALREADYEXISTS]")]
    client.start_over()


def test_copy_move_delete(connect, wire):
    """RFC 4315, RFC 6851: which message became which."""
    for number in range(6):
        wire.append(message(f"letter-{number}"))
    client = connect()
    opened = client.mailboxOpen("INBOX")
    copied = client.messageCopy("2,4", "Sent", UID)
    assert copied["uidMap"] == {"2": 1, "4": 2} and copied["uidValidity"] != opened["uidValidity"]
    moved = client.messageMove("1:3", "Trash", UID)
    assert moved["uidMap"] == {"1": 1, "2": 2, "3": 3}
    assert [event["seq"] for event in client.events("expunge")] == [1, 1, 1] and client.get("mailbox.exists") == 3
    # UID EXPUNGE leaves what others marked.
    wire.command(r"UID STORE 6 +FLAGS.SILENT (\Deleted)")
    assert client.messageDelete("4", UID)
    assert sorted(by_uid(client.fetchAll("1:*", EVERYTHING))) == [5, 6]
    with pytest.raises(CallFailed) as failed:
        client.mailboxOpen("Not there")
    assert failed.value.error["serverCode"] == "NONEXISTENT"
    client.start_over()


def test_flags(connect, wire):
    for number in range(3):
        wire.append(message(f"letter-{number}"))
    client = connect()
    client.mailboxOpen("INBOX")
    assert client.messageFlagsAdd("1:2", [r"\Seen", "$Junk"], UID)
    assert client.messageFlagsRemove("2", ["$Junk"], UID)
    assert client.messageFlagsSet("3", [r"\Draft"], UID)
    assert client.setFlagColor("1", "purple", UID)
    found = by_uid(client.fetchAll("1:*", EVERYTHING, UID))
    assert found[1]["flagColor"] == "purple" and {r"\Seen", "$Junk", r"\Flagged"} <= set(found[1]["flags"])
    assert set(found[2]["flags"]) - {r"\Recent"} == {r"\Seen"}
    assert set(found[3]["flags"]) - {r"\Recent"} == {r"\Draft"}
    assert client.search({"seen": False}, UID) == [3] and client.search({"keyword": "$Junk"}, UID) == [1]


def test_search(connect, wire):
    wire.append(message("apple"), date=" 1-Mar-2021 10:00:00 +0000")
    wire.append("Subject: Grüße\r\nFrom: =?utf-8?q?J=C3=BCrgen?= <j@example.org>\r\nContent-Type: text/plain; charset=utf-8"
                "\r\n\r\nSchöne Grüße aus Wien\r\n".encode())
    wire.append(message("cherry", 50_000), flags=r"\Flagged")
    client = connect()
    client.mailboxOpen("INBOX")
    for query, uids in [({"subject": "apple"}, [1]), ({"subject": "grüße"}, [2]), ({"body": "GRÜSSE AUS"}, [2]),
                        ({"body": "nirgends"}, []), ({"from": "Jürgen"}, [2]), ({"larger": 40_000}, [3]),
                        ({"before": "2022-01-01"}, [1]), ({"or": [{"flagged": True}, {"subject": "apple"}]}, [1, 3]),
                        ({"not": {"uid": "1:2"}}, [3]), ({"header": {"Message-ID": "cherry@"}}, [3]), ({"all": True}, [1, 2, 3])]:
        assert client.search(query, UID) == uids, query
    # RFC 4731.
    counted = client.search({"all": True}, {"uid": True, "returnOptions": ["MIN", "MAX", "COUNT"]})
    assert (counted["min"], counted["max"], counted["count"]) == (1, 3, 3)
    assert client.lines("S: * ESEARCH")


def test_parts(connect, wire):
    """What a client with a preview pane does: the structure first, then parts, decoded."""
    wire.append(b"Subject: parts\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
                b"--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe\r\n"
                b"--b\r\nContent-Type: application/pdf; name=x.pdf\r\nContent-Disposition: attachment; filename=\"x.pdf\"\r\n"
                b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(bytes(range(256)) * 40).replace(b"\n", b"\r\n") +
                b"--b--\r\n")
    client = connect()
    client.mailboxOpen("INBOX")
    structure = client.fetchOne("1", {"bodyStructure": True})["bodyStructure"]
    assert [child["part"] for child in structure["childNodes"]] == ["1", "2"]
    assert structure["childNodes"][1]["dispositionParameters"]["filename"] == "x.pdf"
    parts = client.downloadMany("1", ["1", "2"], UID)
    assert octets(parts["1"]["content"]).decode("latin-1") == "Grüße" and octets(parts["2"]["content"]) == bytes(range(256)) * 40
    assert r"\Seen" not in client.fetchOne("1", {"flags": True})["flags"]
    piece = client.fetchOne("1", {"source": {"start": 5, "maxLength": 20}})["source"]
    assert octets(piece) == b"ct: parts\r\nMIME-Vers"


def test_two_thousand_letters(connect, imap):
    """A large answer through the compressed stream."""
    text = message("many").decode()
    for _ in range(20):
        imap.command("APPEND INBOX" + f" {{{len(text)}+}}\r\n{text}" * 100)
    client = connect()
    client.mailboxOpen("INBOX")
    found = client.fetchAll("1:*", {"uid": True, "flags": True, "envelope": True})
    assert [each["uid"] for each in found] == list(range(1, 2001))
    assert {each["envelope"]["subject"] for each in found} == {"test many"}
