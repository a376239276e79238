"""Thunderbird on a screen of its own: what it shows, and what of it arrived at the server."""

import re
import shutil

import pytest

from support.messages import bodies, message, read_all
from support.server import folder, running
from support.thunderbird import Thunderbird, x_server
from support.wire import ImapWire, SmtpWire

pytestmark = [pytest.mark.heavy, pytest.mark.limit(180)]

# In Thunderbird, and as IMAP4rev1 has it (RFC 3501 §5.1.3).
SHOWN, JAPANESE = "Entwürfe/日本語", "Entw&APw-rfe/&ZeVnLIqe-"


@pytest.fixture(scope="module")
def _started():
    """(server, account, Thunderbird) for the tests of this file: it takes seconds to come up."""
    thunderbird, xvfb = shutil.which("thunderbird"), shutil.which("Xvfb")
    if not thunderbird or not xvfb:
        pytest.skip("Thunderbird or Xvfb is not installed")
    with running() as server, folder() as place, x_server(xvfb) as screen:
        account = server.add_account()
        with ImapWire(server) as client:
            client.greeting()
            client.login(*account)
            client.command(f'CREATE "{JAPANESE}"')
            client.command(f'SUBSCRIBE "{JAPANESE}"')
            client.command("CREATE Projekte/2026/Tief")
            client.command("SUBSCRIBE Projekte/2026/Tief")
            client.append(message("there-before"), flags=r"\Seen")
        program = Thunderbird(thunderbird, server, account, place)
        try:
            yield server, account, program.start(screen), screen
        finally:
            program.stop()


@pytest.fixture
def server(_started):
    yield _started[0]
    _started[0].check_log()


@pytest.fixture
def account(_started):
    return _started[1]


@pytest.fixture
def thunderbird(_started):
    yield _started[2]
    assert _started[2].refused() == []


def flags_of(server, account, mailbox="INBOX"):
    """{subject: flags}."""
    found = read_all(server, account, mailbox, "FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)]")
    return {items["BODY[HEADER.FIELDS (SUBJECT)]"].decode().strip().removeprefix("Subject: "): set(items["FLAGS"]) - {r"\Recent"}
            for items in found.values()}


def arrive(thunderbird, imap, *letters):
    """Letters, or tokens of some, come at once while INBOX is shown and idle, and are seen there.

    It passes over an EXISTS or EXPUNGE that comes in answer to a command of its own, until it has another reason to look.
    """
    letters = [message(each, 3000) if isinstance(each, str) else each for each in letters]
    ids = [re.search(rb"Message-ID: <(.*)>", each)[1].decode() for each in letters]
    thunderbird.run('await open("INBOX");')
    thunderbird.wait_idle()
    imap.command(b"APPEND INBOX" + b"".join(b" {%d+}\r\n%b" % (len(each), each) for each in letters))
    thunderbird.run("""
        const arrived = () => new Set(headers("INBOX").map(each => each.messageId));
        await until("the letters", () => given[0].every(each => arrived().has(each)));
    """, ids)
    thunderbird.wait_idle()


def test_the_mailboxes(thunderbird):
    """Each under its use (RFC 6154), with names outside of ASCII, nested."""
    found = thunderbird.run("""
        return Object.fromEntries(incoming.rootFolder.descendants.map(each => [pathOf(each), each.flags]));
    """)
    flag = {"Drafts": 0x400, "Sent": 0x200, "Trash": 0x100, "Archive": 0x4000, "Junk": 0x40000000, "INBOX": 0x1000}
    assert all(found[name] & bit for name, bit in flag.items()), found
    assert {SHOWN, "Projekte/2026/Tief"} <= set(found)


def test_reading(thunderbird, server, account, imap):
    arrive(thunderbird, imap, "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe_aus_Wien?=\r\nFrom: =?utf-8?q?J=C3=BCrgen?= <j@example.org>\r\n"
                "To: you@example.test\r\nDate: Sun, 08 Mar 2026 10:20:30 +0100\r\nMessage-ID: <wien@elsewhere.test>\r\n"
                "Content-Type: text/html; charset=utf-8\r\n\r\n<h1>Schöne Grüße</h1><p>Es schneit.\r\n".encode())
    shown = thunderbird.run("""
        await open("INBOX");
        const read = await select("INBOX", "Grüße aus Wien");
        await until("the letter", () => letter()?.body?.textContent.includes("Es schneit."));
        await until("it is read", () => read.isRead);
        return [letter().querySelector("h1").textContent, pane.threadTree.selectedIndex, read.mime2DecodedAuthor];
    """)
    assert shown[0] == "Schöne Grüße" and "Jürgen" in shown[2]
    thunderbird.see("thunderbird-reading")
    thunderbird.wait_idle()
    assert {r"\Seen"} <= flags_of(server, account)["=?utf-8?q?Gr=C3=BC=C3=9Fe_aus_Wien?="]
    said = thunderbird.dialogue()
    assert any("COMPRESS DEFLATE" in line for line in said) and any("special-use" in line for line in said)


def test_a_delivery_appears(thunderbird, server, account, imap):
    """Told by IDLE: nobody asks for new mail."""
    thunderbird.run('await open("INBOX");')
    thunderbird.wait_idle()
    with SmtpWire(server) as client:
        client.greeting()
        client.ehlo()
        client.deliver(message("pushed"), account[0])
    assert thunderbird.run("""
        const arrived = await until("the delivery", () => header("INBOX", "test pushed"));
        await until("its row", () => pane.gDBView.findIndexOfMsgHdr(arrived, true) < 0xffffffff);
        return arrived.isRead;
    """) is False


def test_moving_deleting_and_marking(thunderbird, server, account, imap):
    arrive(thunderbird, imap, "to-move", "to-delete", "to-flag", "to-copy")
    assert thunderbird.run("""
        await select("INBOX", "test to-move");
        pane.commandController.doCommand("cmd_moveMessage", folder(given[0]));
        await until("moved", () => !header("INBOX", "test to-move"));
        await select("INBOX", "test to-delete");
        pane.goDoCommand("cmd_delete");
        await until("deleted", () => !header("INBOX", "test to-delete"));
        await select("INBOX", "test to-copy");
        pane.commandController.doCommand("cmd_copyMessage", folder(given[0]));
        const flagged = await select("INBOX", "test to-flag");
        pane.goDoCommand("cmd_markAsFlagged");
        await until("flagged", () => flagged.isFlagged);
        await open(given[0]);
        await until("both", () => header(given[0], "test to-move") && header(given[0], "test to-copy"));
        await open("Trash");
        await until("trash", () => header("Trash", "test to-delete"));
        return headers(given[0]).map(each => each.mime2DecodedSubject).sort();
    """, SHOWN) == ["test to-copy", "test to-move"]
    thunderbird.see("thunderbird-moved")
    inbox = flags_of(server, account)
    assert {"test to-flag", "test to-copy"} <= set(inbox) and not {"test to-move", "test to-delete"} & set(inbox)
    assert r"\Flagged" in inbox["test to-flag"]
    assert set(flags_of(server, account, JAPANESE)) == {"test to-copy", "test to-move"}
    assert "test to-delete" in flags_of(server, account, "Trash")
    assert any("uid move" in line for line in thunderbird.dialogue())


def test_what_others_do(thunderbird, server, account, imap):
    """Flags and an expunge by another client appear while it idles."""
    arrive(thunderbird, imap, "theirs-1", "theirs-2")
    imap.select()
    first, second = imap.command("UID SEARCH SUBJECT theirs").of("SEARCH")[0].value
    imap.command(rf"UID STORE {first} +FLAGS (\Flagged \Seen)")
    imap.command(rf"UID STORE {second} +FLAGS.SILENT (\Deleted)")
    imap.command(f"UID EXPUNGE {second}")
    assert thunderbird.run("""
        await until("the flag", () => header("INBOX", "test theirs-1").isFlagged && header("INBOX", "test theirs-1").isRead);
        await until("the expunge", () => !header("INBOX", "test theirs-2"));
        return true;
    """)


def test_mailboxes_made_renamed_and_deleted(thunderbird, imap):
    """A deleted one goes below Trash, with what is in it."""
    thunderbird.run("""
        const child = (parent, name) => parent.subFolders.find(each => each.localizedName == name);
        const root = incoming.rootFolder;
        root.createSubfolder("Neue Ablage ü", mainWindow.msgWindow);
        const made = await until("it is made", () => child(root, "Neue Ablage ü"));
        made.rename("Alles & mehr", mainWindow.msgWindow);
        const renamed = await until("it is renamed", () => child(root, "Alles & mehr"));
        renamed.createSubfolder("Unten", mainWindow.msgWindow);
        await until("the one below", () => child(renamed, "Unten"));
        Services.prefs.setBoolPref("mailnews.confirm.moveFoldersToTrash", false);
        renamed.deleteSelf(mainWindow.msgWindow);
        await until("it is gone", () => !child(root, "Alles & mehr"));
        await until("it is in Trash", () => child(folder("Trash"), "Alles & mehr"));
    """)
    there = {name for name in imap.mailboxes() if "Ablage" in name or "Alles" in name}
    assert there == {"Trash/Alles &- mehr", "Trash/Alles &- mehr/Unten"} == {name for name in imap.subscriptions() if "Alles" in name}


@pytest.mark.parametrize("where", ["here", "on the server"])
def test_searching(thunderbird, imap, where):
    """By the quick filter, and by SEARCH as its search window does with "Run search on server"."""
    name = "filtered" if where == "here" else "searched"
    arrive(thunderbird, imap, f"{name}-apple", f"{name}-banana",
           f"Subject: {name}\r\nMessage-ID: <{name}@elsewhere.test>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
           f"Der Süßkram ({name}) liegt hier.\r\n".encode())
    if where == "here":
        found = thunderbird.run("""
            await open("INBOX");
            const bar = pane.document.getElementById("quick-filter-bar");
            pane.goDoCommand("cmd_showQuickFilterBar");
            const filter = pane.quickFilterBar;
            filter.filterer.setFilterValue("text", { text: "filtered-apple", states: { recipients: false, sender: false, subject: true, body: false } });
            filter.updateSearch();
            await until("one row", () => pane.gDBView?.rowCount == 1);
            return [pane.gDBView.getMsgHdrAt(0).mime2DecodedSubject];
        """)
        thunderbird.see("thunderbird-filter")
        thunderbird.run("pane.quickFilterBar._resetFilterState(); pane.quickFilterBar.updateSearch();")
        assert found == ["test filtered-apple"]
        return
    found = thunderbird.run("""
        await open("INBOX");
        const search = (attribute, text) => new Promise(resolve => {
          const session = Cc["@mozilla.org/messenger/searchSession;1"].createInstance(Ci.nsIMsgSearchSession);
          session.addScopeTerm(Ci.nsMsgSearchScope.onlineMail, folder("INBOX"));
          const term = session.createTerm();
          term.attrib = Ci.nsMsgSearchAttrib[attribute];
          term.op = Ci.nsMsgSearchOp.Contains;
          const value = term.value;
          value.attrib = term.attrib;
          value.str = text;
          term.value = value;
          term.booleanAnd = true;
          session.appendTerm(term);
          const hits = [];
          session.registerListener({
            QueryInterface: ChromeUtils.generateQI(["nsIMsgSearchNotify"]),
            onSearchHit(found) { hits.push(found.mime2DecodedSubject); },
            onSearchDone() { resolve(hits.sort()); },
            onNewSearch() {},
          });
          session.search(mainWindow.msgWindow);
        });
        return [await search("Body", "SÜSSKRAM (SEARCHED)"), await search("Subject", "searched-"), await search("Sender", "nobody@at.all")];
    """)
    assert found == [["searched"], ["test searched-apple", "test searched-banana"], []]
    assert any("UID SEARCH" in line.upper() for line in thunderbird.dialogue() if " > " in line)


def test_sending(thunderbird, server, account):
    """By submission over TLS; the copy goes to Sent by APPEND."""
    thunderbird.run("""
        const fields = Cc["@mozilla.org/messengercompose/composefields;1"].createInstance(Ci.nsIMsgCompFields);
        fields.to = given[0];
        fields.subject = "Aus Thunderbird";
        fields.body = "Viele Grüße!\\n";
        const params = Cc["@mozilla.org/messengercompose/composeparams;1"].createInstance(Ci.nsIMsgComposeParams);
        params.composeFields = fields;
        params.identity = MailServices.accounts.defaultAccount.defaultIdentity;
        params.type = Ci.nsIMsgCompType.New;
        params.format = Ci.nsIMsgCompFormat.PlainText;
        MailServices.compose.OpenComposeWindowWithParams(null, params);
        const composer = await until("the composer", () => {
          const found = Services.wm.getMostRecentWindow("msgcompose");
          return found?.composeEditorReady ? found : null;
        });
        composer.goDoCommand("cmd_sendNow");
        await until("the composer has closed", () => composer.closed);
    """, account[0])
    arrived = [text for text in bodies(server, account) if b"Subject: Aus Thunderbird" in text]
    kept = [text for text in bodies(server, account, "Sent") if b"Subject: Aus Thunderbird" in text]
    assert len(arrived) == len(kept) == 1 and "Viele Grüße!".encode() in kept[0]


def test_another_start(thunderbird, _started, server, account, imap):
    """With CONDSTORE; what happened while it was away is there."""
    arrive(thunderbird, imap, "kept", "lost", "marked")
    thunderbird.stop()
    imap.select()
    imap.command("UID STORE " + str(imap.command("UID SEARCH SUBJECT lost").of("SEARCH")[0].value[0]) + r" +FLAGS.SILENT (\Deleted)")
    imap.command("EXPUNGE")
    imap.command("UID STORE " + str(imap.command("UID SEARCH SUBJECT marked").of("SEARCH")[0].value[0]) + r" +FLAGS (\Flagged)")
    imap.append(message("fresh"))
    thunderbird.settings["mail.server.default.use_condstore"] = True
    thunderbird.start(_started[3])
    found = thunderbird.run("""
        await open("INBOX");
        await until("the fresh one", () => header("INBOX", "test fresh"));
        await until("the mark", () => header("INBOX", "test marked").isFlagged);
        await until("what is lost", () => !header("INBOX", "test lost"));
        return headers("INBOX").map(each => [each.mime2DecodedSubject, each.messageKey]).sort();
    """)
    assert sorted(uid for _subject, uid in found) == sorted(read_all(server, account, "INBOX", "FLAGS"))
    said = thunderbird.dialogue()
    assert any("(CONDSTORE)" in line or "CHANGEDSINCE" in line for line in said if " > " in line)
    thunderbird.see("thunderbird-again")
