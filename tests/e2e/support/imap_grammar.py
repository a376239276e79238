"""A strict reader of IMAP server responses (RFC 3501 §9, and RFC 9051 §9 once IMAP4rev2 is enabled): what the
grammar does not allow is an error here."""

import re
from dataclasses import dataclass, field

ATOM = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\\]]+')
ASTRING = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\]+')
NUMBER = re.compile(rb"[0-9]+")
QUOTED = re.compile(rb'"((?:[^\x00\r\n"\\\x80-\xff]|\\["\\])*)"')
QUOTED_UTF8 = re.compile(rb'"((?:[^\x00\r\n"\\]|\\["\\])*)"')
LITERAL = re.compile(rb"\{([0-9]+)\}\r\n")
LITERAL8 = re.compile(rb"~\{([0-9]+)\}\r\n")
PART = re.compile(rb"\[(?:[1-9][0-9]*(?:\.[1-9][0-9]*)*)?\](<[0-9]+>)?")
FLAG = re.compile(rb'\\?[^\x00-\x20\x7f-\xff(){%*"\\\]]+')
PERMANENT_FLAG = re.compile(rb'\\\*|\\?[^\x00-\x20\x7f-\xff(){%*"\\\]]+')
DATE_TIME = re.compile(rb'"([ 0-3][0-9])-(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)-([0-9]{4}) '
                       rb'([0-9]{2}:[0-9]{2}:[0-9]{2}) ([+-][0-9]{4})"')
OBJECT_ID = re.compile(rb"[A-Za-z0-9_-]{1,255}(?![A-Za-z0-9_-])")
SECTION = re.compile(rb"\[(?:|[0-9.]*(?:HEADER|TEXT|MIME|HEADER\.FIELDS(?:\.NOT)? \([^()]*\)|[1-9][0-9]*))\](<[0-9]+>)?")


class Malformed(AssertionError):
    """The server sent what the grammar does not allow."""


class Cursor:
    def __init__(self, data, rev2=False):
        self.data = data
        self.at = 0
        self.rev2 = rev2

    def fail(self, wanted):
        raise Malformed(f"wanted {wanted} at {self.at} in {self.data[:self.at]!r} >>> {self.data[self.at:self.at + 80]!r}")

    def match(self, pattern, wanted):
        found = pattern.match(self.data, self.at)
        if not found:
            self.fail(wanted)
        self.at = found.end()
        return found

    def peek(self, text):
        return self.data[self.at:self.at + len(text)].upper() == text.upper()

    def take(self, text):
        if not self.peek(text):
            return False
        self.at += len(text)
        return True

    def need(self, text):
        if not self.take(text):
            self.fail(repr(text))

    def end(self):
        if self.at != len(self.data):
            self.fail("the end")

    def number(self):
        value = int(self.match(NUMBER, "a number").group())
        if value >= 1 << 32:
            self.fail("a number below 2^32")
        return value

    def big_number(self):
        value = int(self.match(NUMBER, "a number").group())
        if value >= 1 << 63:
            self.fail("a number below 2^63")
        return value

    def string(self):
        if self.peek(b'"'):
            text = self.match(QUOTED_UTF8 if self.rev2 else QUOTED, "a quoted string").group(1)
            text.decode()
            return re.sub(rb"\\(.)", rb"\1", text)
        size = int(self.match(LITERAL, "a string").group(1))
        if self.at + size > len(self.data):
            self.fail(f"{size} octets of a literal")
        value = self.data[self.at:self.at + size]
        if b"\0" in value:
            self.fail("a literal without NUL")
        self.at += size
        return value

    def nstring(self):
        return None if self.take(b"NIL") else self.string()

    def content(self):
        """nstring / literal8 (RFC 3516 §7): a literal8 where there is a NUL, and only there (§4.3)."""
        if not self.peek(b"~"):
            return self.nstring()
        size = int(self.match(LITERAL8, "a literal8").group(1))
        value = self.data[self.at:self.at + size]
        if len(value) < size or b"\0" not in value:
            self.fail(f"{size} octets with a NUL")
        self.at += size
        return value

    def astring(self):
        return self.string() if self.peek(b'"') or self.peek(b"{") else self.match(ASTRING, "an astring").group()

    def several(self, one, separator=b" ", least=0):
        """( one *(separator one) ), parentheses included."""
        self.need(b"(")
        items = []
        while not self.take(b")"):
            if items:
                self.need(separator)
            items.append(one())
        if len(items) < least:
            self.fail(f"at least {least} items")
        return items


def flags(cursor):
    return [flag.decode() for flag in cursor.several(lambda: cursor.match(FLAG, "a flag").group())]


def address(cursor):
    cursor.need(b"(")
    parts = [cursor.nstring()]
    for _ in range(3):
        cursor.need(b" ")
        parts.append(cursor.nstring())
    cursor.need(b")")
    name, _route, mailbox, host = parts
    # §7.4.2: host NIL is a group's start (mailbox is its name) or its end (mailbox is NIL too).
    if mailbox is None and (host is not None or name is not None):
        cursor.fail("a group's end with nothing but NIL")
    return tuple(parts)


def addresses(cursor):
    return None if cursor.take(b"NIL") else cursor.several(lambda: address(cursor), b"", least=1)


ENVELOPE = ("date", "subject", "from", "sender", "reply_to", "to", "cc", "bcc", "in_reply_to", "message_id")


def envelope(cursor):
    cursor.need(b"(")
    values = {}
    for index, name in enumerate(ENVELOPE):
        if index:
            cursor.need(b" ")
        values[name] = addresses(cursor) if 2 <= index <= 7 else cursor.nstring()
    cursor.need(b")")
    # §7.4.2: an absent Sender or Reply-To is From's value; so both are there where From is.
    if values["from"] and not (values["sender"] and values["reply_to"]):
        raise Malformed(f"sender and reply-to default to from: {values}")
    return values


def parameters(cursor):
    if cursor.take(b"NIL"):
        return None
    flat = cursor.several(cursor.string, least=2)
    if len(flat) % 2:
        cursor.fail("pairs of parameters")
    return [(flat[i].upper(), flat[i + 1]) for i in range(0, len(flat), 2)]


def disposition(cursor):
    if cursor.take(b"NIL"):
        return None
    cursor.need(b"(")
    kind = cursor.string()
    cursor.need(b" ")
    found = kind, parameters(cursor)
    cursor.need(b")")
    return found


def language(cursor):
    return cursor.several(cursor.string, least=1) if cursor.peek(b"(") else cursor.nstring()


@dataclass
class Body:
    type: bytes = b""
    subtype: bytes = b""
    parameters: list = None
    id: bytes = None
    description: bytes = None
    encoding: bytes = b""
    octets: int = 0
    lines: int = None
    envelope: dict = None
    message: "Body" = None
    parts: list = field(default_factory=list)
    disposition: tuple = None
    language: object = None
    location: bytes = None

    def walk(self):
        yield self
        for part in self.parts:
            yield from part.walk()
        if self.message:
            yield from self.message.walk()


def body(cursor, extended):
    """body (RFC 3501 §9); extension data must be there when `extended`, and must not otherwise."""
    cursor.need(b"(")
    found = Body()
    if cursor.peek(b"("):
        found.type = b"MULTIPART"
        while cursor.peek(b"("):
            found.parts.append(body(cursor, extended))
        cursor.need(b" ")
        found.subtype = cursor.string().upper()
        first = parameters
    else:
        one_part(cursor, found, extended)
        first = Cursor.nstring
    if extended:
        cursor.need(b" ")
        value = first(cursor)
        if found.parts:
            found.parameters = value
        cursor.need(b" ")
        found.disposition = disposition(cursor)
        cursor.need(b" ")
        found.language = language(cursor)
        cursor.need(b" ")
        found.location = cursor.nstring()
    cursor.need(b")")
    return found


def one_part(cursor, found, extended):
    found.type = cursor.string().upper()
    cursor.need(b" ")
    found.subtype = cursor.string().upper()
    cursor.need(b" ")
    found.parameters = parameters(cursor)
    cursor.need(b" ")
    found.id = cursor.nstring()
    cursor.need(b" ")
    found.description = cursor.nstring()
    cursor.need(b" ")
    found.encoding = cursor.string()
    cursor.need(b" ")
    found.octets = cursor.number()
    if found.type == b"MESSAGE" and found.subtype == b"RFC822":
        cursor.need(b" ")
        found.envelope = envelope(cursor)
        cursor.need(b" ")
        found.message = body(cursor, extended)
    if found.type == b"TEXT" or found.message:
        cursor.need(b" ")
        found.lines = cursor.number()


def fetch_items(cursor):
    items = {}

    def one():
        if cursor.take(b"FLAGS "):
            return "FLAGS", flags(cursor)
        if cursor.take(b"UID "):
            return "UID", cursor.number()
        if cursor.take(b"MODSEQ ("):
            value = cursor.big_number()
            cursor.need(b")")
            return "MODSEQ", value
        if cursor.take(b"EMAILID ("):
            value = cursor.match(OBJECT_ID, "an objectid").group().decode()
            cursor.need(b")")
            return "EMAILID", value
        if cursor.take(b"RFC822.SIZE "):
            return "RFC822.SIZE", cursor.number()
        if cursor.take(b"INTERNALDATE "):
            return "INTERNALDATE", cursor.match(DATE_TIME, "a date-time").group().decode()
        if cursor.take(b"SAVEDATE "):
            return "SAVEDATE", cursor.match(DATE_TIME, "a date-time").group().decode()
        if cursor.take(b"PREVIEW "):
            return "PREVIEW", cursor.nstring()
        if cursor.take(b"THREADID ("):
            value = cursor.match(OBJECT_ID, "an objectid").group().decode()
            cursor.need(b")")
            return "THREADID", value
        if cursor.take(b"ENVELOPE "):
            return "ENVELOPE", envelope(cursor)
        if cursor.take(b"BODYSTRUCTURE "):
            return "BODYSTRUCTURE", body(cursor, True)
        if cursor.take(b"BODY "):
            return "BODY", body(cursor, False)
        for name in (b"RFC822.HEADER", b"RFC822.TEXT", b"RFC822"):
            if cursor.take(name + b" "):
                return name.decode(), cursor.nstring()
        if cursor.take(b"BINARY.SIZE"):
            part = cursor.match(PART, "a part").group().decode()
            cursor.need(b" ")
            return "BINARY.SIZE" + part, cursor.number()
        if cursor.take(b"BINARY"):
            part = cursor.match(PART, "a part").group().decode()
            cursor.need(b" ")
            return "BINARY" + part, cursor.content()
        cursor.need(b"BODY")
        section = cursor.match(SECTION, "a section").group().decode().upper()
        cursor.need(b" ")
        return "BODY" + section, cursor.nstring()

    for name, value in cursor.several(one, least=1):
        if name in items:
            raise Malformed(f"{name} twice in {cursor.data!r}")
        items[name] = value
    return items


STATUS_ITEMS = {"MESSAGES", "RECENT", "UIDNEXT", "UIDVALIDITY", "UNSEEN", "SIZE", "DELETED", "HIGHESTMODSEQ",
                "APPENDLIMIT", "MAILBOXID"}


def status_items(cursor):
    def one():
        name = cursor.match(ATOM, "a status item").group().decode().upper()
        if name not in STATUS_ITEMS:
            cursor.fail("a status item")
        cursor.need(b" ")
        if name == "MAILBOXID":
            cursor.need(b"(")
            value = cursor.match(OBJECT_ID, "an objectid").group().decode()
            cursor.need(b")")
            return name, value
        return name, cursor.big_number() if name in ("SIZE", "HIGHESTMODSEQ") else cursor.number()

    return dict(cursor.several(one))


@dataclass
class Response:
    """One untagged response: EXISTS 3 is kind "EXISTS", value 3; FETCH has its number and its items by name, UIDFETCH
    (RFC 9586) a UID and the same."""
    kind: str
    value: object = None
    number: int = None
    code: str = None
    raw: bytes = b""


TEXT = re.compile(rb"[^\x00\r\n\x80-\xff]+")
CODE = re.compile(rb"\[([^\x00\r\n\]\x80-\xff]+)\] ")


def state_text(cursor):
    """resp-text: (code or None, text)."""
    code = None
    if cursor.peek(b"["):
        code = cursor.match(CODE, "a response code and a space").group(1).decode()
    return code, cursor.match(TEXT, "text").group().decode()


def mailbox(cursor):
    """A mailbox's name: modified UTF-7, or UTF-8 (RFC 9051 §5.1)."""
    return cursor.astring().decode("utf-8" if cursor.rev2 else "ascii")


def rights_data(cursor, kind):
    """acl-data, listrights-data, myrights-data (RFC 4314 §7): (mailbox, strings)."""
    name = mailbox(cursor)
    words = []
    while cursor.take(b" "):
        words.append(cursor.astring().decode())
    least = {"ACL": 0, "LISTRIGHTS": 2, "MYRIGHTS": 1}[kind]
    assert len(words) >= least and (kind != "ACL" or len(words) % 2 == 0), (kind, words)
    rights = {"ACL": words[1::2], "LISTRIGHTS": words[1:], "MYRIGHTS": words}[kind]
    for letters in rights:
        assert set(letters) <= set("lrswipkxtecda"), letters
    if kind == "LISTRIGHTS":
        assert len("".join(rights)) == len(set("".join(rights))), "a right stands there twice (§3.7)"
    return name, words


def extended_item(cursor):
    """mbox-list-extended-item (RFC 5258 §6) with strings in parentheses: (tag, values)."""
    tag = cursor.astring().decode()
    cursor.need(b" ")
    return tag, [value.decode() for value in cursor.several(cursor.astring)]


def mailbox_list(cursor):
    """(attributes, delimiter, name), and behind them {tag: values} where there is extended data."""
    attributes = [name.decode() for name in cursor.several(lambda: cursor.match(FLAG, "an attribute").group())]
    cursor.need(b" ")
    delimiter = None if cursor.take(b"NIL") else cursor.match(QUOTED, "a delimiter").group(1).decode()
    cursor.need(b" ")
    name = mailbox(cursor)
    if not cursor.take(b" "):
        return attributes, delimiter, name
    return attributes, delimiter, name, dict(cursor.several(lambda: extended_item(cursor), least=1))


def namespace(cursor):
    def one():
        cursor.need(b"(")
        prefix = cursor.string().decode()
        cursor.need(b" ")
        delimiter = None if cursor.take(b"NIL") else cursor.string().decode()
        cursor.need(b")")
        return prefix, delimiter

    return None if cursor.take(b"NIL") else cursor.several(one, b"", least=1)


RANGE = re.compile(rb"([1-9][0-9]*)(?::([1-9][0-9]*))?")
PARTIAL_RANGE = re.compile(rb"[1-9][0-9]*:[1-9][0-9]*|-[1-9][0-9]*:-[1-9][0-9]*")


def sequence_set(cursor):
    """The numbers, all of them, in the order told; runs as ranges, which ascend: as this server writes them."""
    numbers = []
    while True:
        found = cursor.match(RANGE, "a number or a range")
        first, last = int(found.group(1)), int(found.group(2) or found.group(1))
        if (numbers and first == numbers[-1] + 1) or (found.group(2) and last <= first):
            cursor.fail("ranges that ascend, runs joined")
        numbers += range(first, last + 1)
        if not cursor.take(b","):
            return numbers


def search(cursor):
    """The numbers; a MODSEQ behind them (RFC 7162 §3.1.6) is read, and left out."""
    numbers = []
    while cursor.take(b" "):
        if cursor.take(b"(MODSEQ "):
            if not numbers or not cursor.big_number():
                cursor.fail("a MODSEQ of something")
            cursor.need(b")")
            break
        numbers.append(cursor.number())
    return numbers


def threads(cursor, many=2):
    """thread-nested (RFC 5256 §5): a list of threads, each (chain of numbers, threads below its last)."""
    found = []
    while cursor.take(b"("):
        chain = []
        while not cursor.peek(b"("):
            chain.append(cursor.number())
            if not cursor.take(b" "):
                break
        found.append((chain, threads(cursor) if cursor.peek(b"(") else []))
        cursor.need(b")")
    if len(found) < many:
        cursor.fail("two threads or more")
    return found


def changes(cursor):
    """What ADDTO and REMOVEFROM have (RFC 5267 §5): [(position, numbers)]."""
    cursor.need(b"(")
    found = []
    while True:
        position = cursor.number()
        cursor.need(b" ")
        found.append((position, sequence_set(cursor)))
        if not cursor.take(b" "):
            break
    cursor.need(b")")
    return found


def esearch(cursor):
    """esearch-response (RFC 4731 §4, RFC 9394 §4): {name: value}; PARTIAL is (range, numbers).

    CHANGES are those of RFC 5267 §4.3 in their order: [("ADDTO" or "REMOVEFROM", position, numbers)].
    """
    items = {"UID": False}
    if cursor.take(b" (TAG "):
        items["TAG"] = cursor.string().decode()
        cursor.need(b")")
    if cursor.take(b" UID"):
        items["UID"] = True
    while cursor.take(b" "):
        name = cursor.match(ATOM, "a result item").group().decode().upper()
        if name in items:
            cursor.fail("each item once")
        cursor.need(b" ")
        if name in ("ADDTO", "REMOVEFROM"):
            items.setdefault("CHANGES", []).extend((name, *each) for each in changes(cursor))
            continue
        if name in ("MIN", "MAX", "COUNT"):
            items[name] = cursor.number()
        elif name == "MODSEQ":
            items[name] = cursor.big_number()
        elif name == "ALL":
            items[name] = sequence_set(cursor)
        elif name == "PARTIAL":
            cursor.need(b"(")
            asked = cursor.match(PARTIAL_RANGE, "a partial range").group().decode()
            cursor.need(b" ")
            items[name] = asked, [] if cursor.take(b"NIL") else sequence_set(cursor)
            cursor.need(b")")
        else:
            cursor.fail("a result item")
    return items


def spaced(cursor, one):
    values = []
    while cursor.take(b" "):
        values.append(one())
    return values


def uid_set(cursor):
    """A uid-set, which has no `*` (RFC 4315 §4), as a list."""
    uids = []
    while True:
        first = last = cursor.number()
        if cursor.take(b":"):
            last = cursor.number()
        uids += range(min(first, last), max(first, last) + 1)
        if not cursor.take(b","):
            return uids


def parse_untagged(data, rev2=False):
    """The Response in `data`, a whole untagged response without "* " and its last CRLF, literals included."""
    cursor = Cursor(data, rev2)
    response = _untagged(cursor)
    cursor.end()
    response.raw = data
    return response


def rev2_lacks(cursor, kind):
    return cursor.rev2 and kind in ("RECENT", "SEARCH")


def _untagged(cursor):
    found = re.compile(rb"([0-9]+) (EXISTS|RECENT|EXPUNGE|UIDFETCH|FETCH)", re.I).match(cursor.data)
    if found:
        cursor.at = found.end()
        number, kind = int(found.group(1)), found.group(2).upper().decode()
        if rev2_lacks(cursor, kind):
            cursor.fail("no RECENT in IMAP4rev2")
        if kind not in ("FETCH", "UIDFETCH"):
            return Response(kind, number, number)
        cursor.need(b" ")
        if number == 0:
            cursor.fail("a number of a message, above 0")
        return Response(kind, fetch_items(cursor), number)
    kind = cursor.match(ATOM, "a response's name").group().decode().upper()
    if kind in ("OK", "NO", "BAD", "BYE", "PREAUTH"):
        cursor.need(b" ")
        code, text = state_text(cursor)
        return Response(kind, text, code=code)
    if kind in ("CAPABILITY", "ENABLED"):
        return Response(kind, [item.decode().upper() for item in
                               spaced(cursor, lambda: cursor.match(ATOM, "a capability").group())])
    if kind == "SORT" or kind == "SEARCH" and not rev2_lacks(cursor, kind):
        return Response(kind, search(cursor))
    if kind == "THREAD":
        return Response(kind, threads(cursor, many=0) if cursor.take(b" ") else [])
    if kind == "ESEARCH":
        return Response(kind, esearch(cursor))
    cursor.need(b" ")
    if kind == "FLAGS":
        return Response(kind, flags(cursor))
    if kind == "VANISHED":
        earlier = cursor.take(b"(EARLIER) ")
        return Response(kind, (earlier, uid_set(cursor)))
    if kind in ("LIST", "LSUB"):
        return Response(kind, mailbox_list(cursor))
    if kind == "STATUS":
        name = mailbox(cursor)
        cursor.need(b" ")
        return Response(kind, (name, status_items(cursor)))
    if kind == "ID":
        if cursor.take(b"NIL"):
            return Response(kind, None)
        return Response(kind, cursor.several(cursor.nstring))
    if kind in ("ACL", "LISTRIGHTS", "MYRIGHTS"):
        return Response(kind, rights_data(cursor, kind))
    if kind == "NAMESPACE":
        kinds = [namespace(cursor)]
        for _ in range(2):
            cursor.need(b" ")
            kinds.append(namespace(cursor))
        return Response(kind, kinds)
    return cursor.fail("a response that RFC 3501 or an extension in use knows")
