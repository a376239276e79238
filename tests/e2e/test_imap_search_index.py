"""SEARCH answered from an index: with it and without it, the answers are the same (RFC 9051 §6.4.4)."""

import base64
import random
import sqlite3
import time

import pytest

from support.messages import corpus, message
from support.server import hand_over, running
from support.wire import ImapWire

CHARSETS = {
    "utf-8": "Grüße aus Köln, Straße ﬁne café naïve Москва привет 東京都 日本語 한국어 ελλάδα ĲSSEL Ⅷ ½",
    "iso-8859-1": "Grüße aus Köln Straße café naïve Ærø",
    "windows-1252": "“quoted” – dash… € Grüße",
    "koi8-r": "Москва привет письмо отчёт",
    "windows-1251": "Москва привет Отчёт за год",
    "iso-2022-jp": "東京都の日本語メール",
    "shift_jis": "東京都の日本語メール",
    "euc-kr": "한국어 편지 서울",
    "big5": "中文郵件測試",
    "gb2312": "中文邮件测试",
    "utf-16": "wide Grüße 東京",
}
WORDS = ("invoice meeting report Tuesday budget the and of project lunch Zürich quarterly numbers thanks regards "
         "please find attached holiday server x ab abc <tag> a&b 100% under_score dash-ed \"q\" back\\slash").split()


def sentence(random_, charset):
    words = CHARSETS[charset].split() if random_.random() < 0.7 else []
    words = [random_.choice(WORDS) for _ in range(random_.randrange(12))] + words
    random_.shuffle(words)
    text = ""
    for word in words:
        text += word + random_.choice([" ", " ", "  ", "\r\n", "\t", " \r\n "])
    return text


def encoded_word(random_, text, charset):
    octets = text.encode(charset, "replace")
    if random_.random() < 0.5:
        return f"=?{charset}?B?{base64.b64encode(octets).decode()}?="
    return f"=?{charset}?Q?{''.join(f'={octet:02X}' for octet in octets)}?="


def field(random_, charset):
    if random_.random() < 0.4:
        return " ".join(random_.choice(WORDS) for _ in range(3)).replace('"', "")
    text = " ".join(random_.sample(CHARSETS[charset].split(), 1))
    return encoded_word(random_, text, charset) + random_.choice(["", "\r\n " + encoded_word(random_, text, charset)])


def body(random_, charset):
    """(Content-Transfer-Encoding, octets) of some text."""
    octets = "".join(sentence(random_, charset) for _ in range(random_.randrange(1, 6))).encode(charset, "replace")
    way = random_.choice(["8bit", "base64", "quoted-printable"]) if charset != "utf-16" else "base64"
    if way == "base64":
        octets = base64.encodebytes(octets).replace(b"\n", b"\r\n")
    elif way == "quoted-printable":
        lines = []
        for line in octets.split(b"\r\n"):
            # Soft breaks anywhere, also within a character.
            quoted = [b"%c" % octet if 33 <= octet < 127 and octet != 61 else b"=%02X" % octet for octet in line]
            lines.append(b"=\r\n".join(b"".join(quoted[at:at + 20]) for at in range(0, len(quoted), 20)))
        octets = b"\r\n".join(lines)
    return way, octets


def part(random_, depth=0):
    kind = random_.random()
    if kind < 0.2 and depth < 2:
        inner = b"".join(b"--=_%d\r\n" % depth + part(random_, depth + 1) + b"\r\n" for _ in range(random_.randrange(1, 4)))
        return b'Content-Type: multipart/mixed; boundary="=_%d"\r\n\r\n' % depth + inner + b"--=_%d--\r\n" % depth
    if kind < 0.3 and depth < 2:
        return b"Content-Type: message/rfc822\r\n\r\n" + letter(random_, depth + 1)
    if kind < 0.4:
        return (b"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename*=utf-8''Gr%C3%BC%C3%9Fe"
                b"%20invoice.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\naW52b2ljZQ==\r\n")
    charset = random_.choice(list(CHARSETS))
    way, octets = body(random_, charset)
    named = charset if random_.random() < 0.9 else random_.choice(["unknown-8bit", "us-ascii"])
    subtype = random_.choice(["plain", "plain", "html"])
    return (f"Content-Type: text/{subtype}; charset={named}\r\nContent-Transfer-Encoding: {way}\r\n\r\n").encode() + octets


def letter(random_, depth=0):
    charset = random_.choice([name for name in CHARSETS if name != "utf-16"])
    text = (f"From: {field(random_, charset)} <ann{random_.randrange(5)}@elsewhere.test>\r\n"
            f"To: Reader <reader@example.test>, \"C. D.\" <cd{random_.randrange(9)}@example.test>\r\n"
            f"Subject: {field(random_, charset)}\r\n")
    if random_.random() < 0.3:
        text += f"Cc: team: {field(random_, charset)} <team@example.test>;\r\nX-Note: {field(random_, charset)}\r\n"
    if random_.random() < 0.2:
        text += "List-Id: <list.invoice.example.test>\r\nX-Note: twice\r\n"
    text += f"Message-ID: <{random_.getrandbits(64):x}@elsewhere.test>\r\nMIME-Version: 1.0\r\n"
    return text.encode() + part(random_, depth)


def pattern(random_):
    """Something that some message may have: a piece of its texts, in another case or width, or of nothing."""
    kind = random_.random()
    if kind < 0.1:
        return "".join(random_.choice("abcdefgh \té京") for _ in range(random_.randrange(1, 6)))
    text = random_.choice([random_.choice(list(CHARSETS.values())), " ".join(random_.sample(WORDS, 2)),
                           "ann3@elsewhere.test", "<cd4@example.test>", "C. D.", "content-type: text", "grüße invoice.pdf",
                           "reader <reader@example.test>", "list.invoice", "test the"])
    at = random_.randrange(len(text))
    text = text[at:at + random_.choice([1, 2, 3, 4, 6, 9, 30])]
    return random_.choice([text, text, text.upper(), text.lower(), text.replace(" ", "\r\n ")])


def literal(text):
    octets = text.encode()
    return b"{%d+}\r\n" % len(octets) + octets


def program(random_, depth=0):
    kind = random_.random()
    if depth < 3 and kind < 0.12:
        return b"NOT " + program(random_, depth + 1)
    if depth < 3 and kind < 0.25:
        return b"OR " + program(random_, depth + 1) + b" " + program(random_, depth + 1)
    if depth < 3 and kind < 0.35:
        return b"(" + b" ".join(program(random_, depth + 1) for _ in range(random_.randrange(1, 4))) + b")"
    if kind < 0.42:
        return random_.choice([b"FLAGGED", b"UNSEEN", b"1:50", b"LARGER 900", b"SENTBEFORE 1-Jan-2030", b"ALL"])
    if kind < 0.55:
        name = random_.choice([b"X-Note", b"Subject", b"From", b"Content-Type", b"List-Id", b"Message-ID", b"To"])
        return b"HEADER " + name + b" " + literal(pattern(random_) if random_.random() < 0.9 else "")
    key = random_.choice([b"BODY", b"TEXT", b"BODY", b"TEXT", b"SUBJECT", b"FROM", b"TO", b"CC", b"BCC"])
    return key + b" " + literal(pattern(random_))


def search(imap, asked):
    return imap.command(b"UID SEARCH CHARSET UTF-8 " + asked).of("SEARCH")[0].value


def session(server, account):
    imap = ImapWire(server)
    imap.greeting()
    imap.login(*account)
    return imap


def filled(server, account):
    server.wait_log(rf"storage\.search_index_filled account={account[0]}", 30)


def indexed(server, account):
    """How many documents the index has, committed ones."""
    path = server.account_folder(account[0]) / "search.sqlite"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        try:
            return database.execute("SELECT count(*) FROM document").fetchone()[0]
        except sqlite3.OperationalError:
            return 0  # it is being made


@pytest.mark.heavy
@pytest.mark.limit(400)
def test_with_and_without_an_index_the_answers_are_the_same():
    random_ = random.Random(1)
    letters = [letter(random_) for _ in range(110)] + [text for _, text in corpus() if text and len(text) < 60_000][:40]
    programs = [program(random_) for _ in range(2000)]
    with running({"search": {"index": False}}) as server:
        account = server.add_account()
        imap = session(server, account)
        for number, text in enumerate(letters):
            imap.append(text.replace(b"\0", b""), flags=r"\Flagged" if number % 3 == 0 else "")
        imap.select()
        read = [search(imap, asked) for asked in programs]
        assert 300 < sum(1 for found in read if 0 < len(found) < len(letters)), "the programs tell little"
        assert not (server.account_folder(account[0]) / "search.sqlite").exists()
        # One message is looked into by other means than many.
        for asked, found in zip(programs[:300], read):
            uid = random_.randrange(1, len(letters) + 1)
            assert search(imap, b"UID %d " % uid + asked) == ([uid] if uid in found else []), asked
        server.stop()

        server.write_config({"search": {"index": True}})
        server.start()
        imap = session(server, account)
        imap.select()
        filled(server, account)
        for asked, found in zip(programs, read):
            assert search(imap, asked) == found, asked
        assert indexed(server, account) == len(letters)


def test_what_is_not_in_it_yet_is_found(server, account, imap):
    """From the reply to the APPEND on, while it is filled and after; copies and moved messages too."""
    imap.command("CREATE Other")
    imap.select()
    for number in range(30):
        imap.append(message(f"needle{number}x"))
        assert search(imap, b"BODY needle%dx" % number) == [number + 1]
        assert search(imap, b"SUBJECT needle%dx NOT BODY needle%dy" % (number, number)) == [number + 1]
    filled(server, account)
    assert search(imap, b"BODY needle7x") == [8]
    imap.command("COPY 1:10 Other")
    imap.command("MOVE 11:20 Other")
    assert search(imap, b"TEXT needle15x") == []
    imap.select("Other")
    assert search(imap, b"TEXT needle15x") == [16]
    assert search(imap, b"TEXT needle7x") == [8]
    assert indexed(server, account) == 30


def test_one_account_can_do_without(server, account, imap):
    """posthorn account search-index ADDRESS off"""
    path = server.account_folder(account[0]) / "search.sqlite"
    imap.append(message("needle"))
    imap.select()
    filled(server, account)
    server.command("account", "search-index", account[0], "off")
    assert not path.exists()
    imap.append(message("thread"))
    assert search(imap, b"BODY thread") == [2] and search(imap, b"BODY needle") == [1]
    assert not path.exists()
    server.command("account", "search-index", account[0], "on")
    deadline = time.monotonic() + 20
    while not path.exists() or indexed(server, account) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert search(imap, b"BODY thread") == [2]
    server.command("account", "search-index", "nobody@example.test", "off", status=1)
    server.command("account", "search-index", account[0], "perhaps", status=2)


@pytest.mark.parametrize("harm", ["removed", "overwritten", "cut", "garbage in the middle", "another program's"])
def test_a_lost_or_broken_index_comes_back(own, harm):
    server = own()
    account = server.add_account()
    imap = session(server, account)
    imap.select()
    for number in range(40):
        imap.append(message(f"needle{number}x", size=2000))
    filled(server, account)
    path = server.account_folder(account[0]) / "search.sqlite"

    def hurt():
        if harm == "removed":
            for suffix in "", "-wal", "-shm":
                path.with_name(path.name + suffix).unlink(missing_ok=True)
            return
        octets = bytearray(path.read_bytes())
        if harm == "overwritten":
            octets = bytearray(b"no database at all" * 100)
        elif harm == "cut":
            octets = octets[:len(octets) // 3]
        elif harm == "garbage in the middle":
            octets[len(octets) // 2:] = random.Random(1).randbytes(len(octets) - len(octets) // 2)
        path.with_name("search.sqlite-wal").unlink(missing_ok=True)
        if harm == "another program's":
            path.unlink()
            with sqlite3.connect(path) as database:
                database.execute("CREATE TABLE document (id INTEGER PRIMARY KEY, fingerprint INTEGER, complete INTEGER)")
            hand_over(path)
        else:
            path.write_bytes(octets)

    def answers():
        return [search(imap, b"TEXT needle%dx" % number) for number in range(0, 40, 7)]

    expected = [[number + 1] for number in range(0, 40, 7)]
    server.stop()
    # All of it into the file: the last to close it does that.
    sqlite3.connect(path).execute("SELECT count(*) FROM document").connection.close()
    server.start()
    imap = session(server, account)
    imap.select()
    assert answers() == expected
    hurt()
    assert answers() == expected
    imap.append(message("later"))
    server.wait_log(r"(?s)(search_index_filled.*){2}", 30)
    assert answers() == expected and search(imap, b"BODY later") == [41]
    assert indexed(server, account) == 41
    server.stop()
    hurt()
    server.start()
    imap = session(server, account)
    imap.select()
    assert answers() == expected
