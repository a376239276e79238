"""LIST with options, STATUS items, and their speed with many mailboxes (RFC 5258, 5819, 8438, 7889)."""

import time

import pytest

from support.messages import message

pytestmark = pytest.mark.sanitized


def listed(imap, command):
    """{name: attributes} and {name: extended data} that LIST answers."""
    answer = imap.command(command).of("LIST")
    assert len({response.value[2] for response in answer}) == len(answer), "one response a mailbox"
    return ({response.value[2]: set(response.value[0]) for response in answer},
            {response.value[2]: response.value[3] for response in answer if len(response.value) > 3})


def test_capabilities(imap):
    offered = set(imap.command("CAPABILITY").of("CAPABILITY")[0].value)
    assert {"LIST-EXTENDED", "LIST-STATUS", "STATUS=SIZE", "SPECIAL-USE", "CHILDREN"} <= offered
    assert any(name.startswith("APPENDLIMIT=") and name.partition("=")[2].isdigit() for name in offered)


def test_subscribed_whether_it_exists_or_not(imap):
    """RFC 5258 §3.1."""
    for name in imap.subscriptions():
        imap.command(f'UNSUBSCRIBE "{name}"')
    imap.command("CREATE Fruit/Banana")
    for name in ("Fruit/Banana", "Fruit/Peach"):
        imap.command(f"SUBSCRIBE {name}")
    names, _ = listed(imap, 'LIST (SUBSCRIBED) "" *')
    assert names == {"Fruit/Banana": {r"\Subscribed", r"\HasNoChildren"},
                     "Fruit/Peach": {r"\Subscribed", r"\HasNoChildren", r"\NonExistent"}}
    names, extended = listed(imap, 'LIST (SUBSCRIBED RECURSIVEMATCH) "" % RETURN (CHILDREN)')
    assert set(names) == {"Fruit"} and r"\HasChildren" in names["Fruit"] and r"\Subscribed" not in names["Fruit"]
    assert extended == {"Fruit": {"CHILDINFO": ["SUBSCRIBED"]}}
    names, _ = listed(imap, 'LIST "" (INBOX Fruit/%) RETURN (SUBSCRIBED)')
    assert names == {"INBOX": {r"\HasNoChildren"}, "Fruit/Banana": {r"\Subscribed", r"\HasNoChildren"}}


def test_a_subscription_outlives_its_mailbox(imap):
    imap.command("CREATE gone")
    imap.command("SUBSCRIBE gone")
    imap.command("DELETE gone")
    names, _ = listed(imap, 'LIST (SUBSCRIBED) "" gone')
    assert names == {"gone": {r"\Subscribed", r"\HasNoChildren", r"\NonExistent"}}


def test_special_use_selects(imap):
    """RFC 6154 §5.1: the mailboxes of a new account have theirs."""
    names, _ = listed(imap, 'LIST (SPECIAL-USE) "" * RETURN (SPECIAL-USE STATUS (MESSAGES))')
    uses = set().union(*names.values()) & {r"\Archive", r"\Drafts", r"\Junk", r"\Sent", r"\Trash"}
    assert len(uses) == len(names) == 5


@pytest.mark.parametrize("pattern", ["&Jjo", '"R&D*"', "&*", '("&" "R&D")'])
def test_a_pattern_that_is_no_name(imap, pattern):
    """RFC 5258 §3: passed over silently."""
    assert not imap.command(f'LIST "" {pattern}').of("LIST")


def test_status_of_all(imap):
    """RFC 5819, RFC 8438: what LIST tells is what STATUS tells."""
    texts = [message("one"), message("two", size=3000)]
    for text in texts:
        imap.append(text, "Archive", r"\Seen")
    imap.append(message("three"), "Sent", r"\Deleted")
    items = "MESSAGES UIDNEXT UIDVALIDITY UNSEEN SIZE DELETED APPENDLIMIT"
    answer = imap.command(f'LIST "" * RETURN (STATUS ({items}))').untagged
    kinds = [response.kind for response in answer]
    assert kinds == ["LIST", "STATUS"] * (len(kinds) // 2)
    for name, status in zip(answer[::2], answer[1::2]):
        assert name.value[2] == status.value[0]
        assert status.value[1] == imap.status(name.value[2], items)
    told = {status.value[0]: status.value[1] for status in answer[1::2]}
    assert told["Archive"]["SIZE"] == sum(map(len, texts)) and told["Archive"]["MESSAGES"] == 2
    assert told["Archive"]["UNSEEN"] == 0 and told["Sent"]["DELETED"] == 1


def test_status_of_the_selected_mailbox_is_of_now(server, account, imap):
    imap.select()
    (server.maildir(account[0]) / "new" / "1700000000.1.elsewhere").write_bytes(b"Subject: x\r\n\r\ny\r\n")
    answer = imap.command('LIST "" INBOX RETURN (STATUS (MESSAGES SIZE))')
    assert answer.of("STATUS")[0].value[1] == {"MESSAGES": 1, "SIZE": 17}


def test_append_limit_is_that_of_append(imap):
    """RFC 7889 §3.1, §4."""
    limit = imap.status("INBOX", "APPENDLIMIT")["APPENDLIMIT"]
    assert f"APPENDLIMIT={limit}" in imap.command("CAPABILITY").of("CAPABILITY")[0].value
    tag = imap.next_tag()
    imap.send_line(f"{tag} APPEND INBOX {{{limit + 1}}}")
    assert imap.finish(tag, "NO").code == "TOOBIG"


def test_list_with_status_of_many_mailboxes(imap):
    """Each costs the same, however many there are."""
    times = {}
    for count in (100, 300):
        for number in range(0 if count == 100 else 100, count):
            imap.command(f"CREATE many/box{number}")
        imap.command('LIST "" many/% RETURN (STATUS (MESSAGES))')
        began = time.monotonic()
        answer = imap.command('LIST "" many/% RETURN (STATUS (MESSAGES UIDNEXT SIZE))')
        times[count] = time.monotonic() - began
        assert len(answer.of("STATUS")) == count
    assert times[300] < 9 * times[100] + 1
