"""SEARCH with RETURN, saved results and PARTIAL (RFC 4731, 5182, 9394), against a model of the mailbox."""

import random

import pytest

from support.messages import message
from support.wire import ImapWire

pytestmark = pytest.mark.sanitized


@pytest.fixture
def mailbox(imap):
    """20 messages in INBOX, the 3rd and 4th expunged; every third of the rest is flagged."""
    for number in range(20):
        imap.append(message(f"m{number}"))
    imap.select()
    imap.command(r"STORE 3:4 +FLAGS.SILENT (\Deleted)")
    imap.command("EXPUNGE")
    imap.command(r"STORE 1,4,7,10,13,16 +FLAGS.SILENT (\Flagged)")
    return imap


def esearch(imap, command):
    tag = imap.start(command)
    answer = imap.finish(tag)
    found = answer.of("ESEARCH")
    assert not answer.of("SEARCH") and len(found) == 1
    assert found[0].value.pop("TAG") == tag
    return found[0].value


def uids(imap):
    return sorted(imap.fetch_all("UID"))


def test_capabilities(imap):
    assert {"ESEARCH", "SEARCHRES", "PARTIAL"} <= set(imap.command("CAPABILITY").of("CAPABILITY")[0].value)


def test_results(mailbox):
    """RFC 4731 §3.1."""
    assert esearch(mailbox, "SEARCH RETURN (MIN MAX COUNT ALL) FLAGGED") == {
        "UID": False, "MIN": 1, "MAX": 16, "COUNT": 6, "ALL": [1, 4, 7, 10, 13, 16]}
    assert esearch(mailbox, "UID SEARCH RETURN () FLAGGED") == {"UID": True, "ALL": [1, 6, 9, 12, 15, 18]}
    assert esearch(mailbox, "UID SEARCH RETURN (MIN COUNT) DRAFT") == {"UID": True, "COUNT": 0}


@pytest.mark.parametrize("asked, numbers", [("1:2", [1, 6]), ("-1:-2", [15, 18]), ("5:100", [15, 18]),
                                            ("-6:-5", [1, 6]), ("7:8", [])])
def test_partial(mailbox, asked, numbers):
    """RFC 9394 §3.1, §3.3."""
    assert esearch(mailbox, f"UID SEARCH RETURN (PARTIAL {asked}) FLAGGED") == {
        "UID": True, "PARTIAL": (asked, numbers)}
    mailbox.command("SEARCH RETURN (SAVE) FLAGGED")
    assert sorted(mailbox.command(f"UID FETCH $ (UID) (PARTIAL {asked})").by_uid()) == numbers


def test_saved_result_in_every_command(mailbox):
    """RFC 5182 §2.1."""
    assert not mailbox.command("UID SEARCH RETURN (SAVE) FLAGGED").untagged
    assert sorted(mailbox.command("FETCH $ (UID)").by_uid()) == [1, 6, 9, 12, 15, 18]
    assert esearch(mailbox, "SEARCH RETURN (ALL) NOT $ 1:5")["ALL"] == [2, 3, 5]
    mailbox.command("COPY $ Archive")
    assert mailbox.status("Archive", "MESSAGES") == {"MESSAGES": 6}
    mailbox.command(r"STORE $ +FLAGS (\Answered)")
    mailbox.command("SEARCH RETURN (SAVE MIN MAX) ANSWERED")
    mailbox.command("UID MOVE $ Archive")
    assert mailbox.status("Archive", "MESSAGES") == {"MESSAGES": 8}
    # Both are gone: nothing is left of it, and no command minds.
    for command in ("FETCH $ UID", "UID FETCH $ UID", "COPY $ Archive", "UID MOVE $ Archive", "UID EXPUNGE $",
                    "STORE $ FLAGS ()"):
        assert not mailbox.command(command).untagged
    assert mailbox.command("SEARCH $").of("SEARCH")[0].value == []


def test_saved_result_under_a_second_client(server, account, mailbox):
    mailbox.command("SEARCH RETURN (SAVE) FLAGGED")
    with ImapWire(server) as other:
        other.greeting()
        other.login(*account)
        other.select()
        other.command(r"UID STORE 1,2,9 +FLAGS.SILENT (\Deleted)")
        other.command("EXPUNGE")
        other.append(message("later"), flags=r"\Flagged")
    mailbox.command("NOOP")
    assert esearch(mailbox, "UID SEARCH RETURN (ALL) $")["ALL"] == [6, 12, 15, 18]
    assert esearch(mailbox, "SEARCH RETURN (ALL) $")["ALL"] == [2, 7, 10, 13]


def test_refused_and_reselected(mailbox):
    """RFC 5182 §2.1."""
    def saved():
        return esearch(mailbox, "SEARCH RETURN (COUNT) $")["COUNT"]

    mailbox.command("SEARCH RETURN (SAVE) FLAGGED")
    mailbox.command("SEARCH CHARSET X-KLINGON TEXT x", "NO")
    mailbox.command("SEARCH RETURN (SAVE) NONSENSE", "BAD")
    assert saved() == 6
    mailbox.command("SEARCH RETURN (SAVE) CHARSET X-KLINGON TEXT x", "NO")
    assert saved() == 0
    mailbox.command("SEARCH RETURN (SAVE) FLAGGED")
    mailbox.select()
    assert saved() == 0


def test_imap4rev2_answers_esearch(mailbox):
    """RFC 9051 §6.4.4."""
    mailbox.command("ENABLE IMAP4rev2")
    assert esearch(mailbox, "UID SEARCH FLAGGED") == {"UID": True, "ALL": [1, 6, 9, 12, 15, 18]}
    assert esearch(mailbox, "SEARCH DRAFT") == {"UID": False}


def test_against_a_model(mailbox):
    """Random options over random sets: what is told and saved is what RFC 5182 §2.4 and RFC 9394 §3.2 say."""
    seed = random.randrange(1 << 32)
    print("seed", seed)
    pick = random.Random(seed)
    there = uids(mailbox)
    saved = []
    for _ in range(60):
        found = sorted(pick.sample(there, pick.randint(0, len(there))))
        keys = f"UID {','.join(map(str, found))}" if found else "DRAFT"
        if pick.random() < 0.3:
            found = [uid for uid in found if uid in saved]
            keys += " $"
        options = [name for name in ("MIN", "MAX", "COUNT", "SAVE") if pick.random() < 0.5]
        low, high = sorted((pick.randint(1, 22), pick.randint(1, 22)))
        newest = pick.random() < 0.5
        part = (found[::-1] if newest else found)[low - 1:high]
        which = pick.choice(["ALL", "PARTIAL", ""])
        if which == "PARTIAL":
            sign = "-" if newest else ""
            options.append(f"PARTIAL {sign}{low}:{sign}{high}")
        elif which:
            options.append(which)
        pick.shuffle(options)
        answer = mailbox.command(f"UID SEARCH RETURN ({' '.join(options)}) {keys}")
        if options == ["SAVE"]:
            assert not answer.of("ESEARCH")
        else:
            told = answer.of("ESEARCH")[0].value
            assert told.get("MIN") == (min(found) if "MIN" in options and found else None)
            assert told.get("MAX") == (max(found) if "MAX" in options and found else None)
            assert told.get("COUNT") == (len(found) if "COUNT" in options else None)
            if which == "PARTIAL":
                assert told["PARTIAL"][1] == sorted(part)
            if which == "ALL" or not options:
                assert told.get("ALL", []) == found
        if "SAVE" in options:
            some = {"MIN", "MAX"} & set(options) or which == "PARTIAL"
            if which == "ALL" or "COUNT" in options or not some:
                saved = found
            else:
                kept = set(part) if which == "PARTIAL" else set()
                kept |= {min(found)} if "MIN" in options and found else set()
                kept |= {max(found)} if "MAX" in options and found else set()
                saved = sorted(kept)
        assert sorted(mailbox.command("UID FETCH $ (UID)").by_uid()) == saved
