"""What a disk could hold after the power was cut between two operations of a recording.

A Disk follows the recording operation by operation, and knows of each file and folder what is durable and what is
still pending. state() keeps all that is durable and, at random, some of what is pending:

- A file's bytes become durable by fsync or fdatasync of the file. Until then each write and each truncation is kept
  or lost by itself, in torn mode each 512-octet sector of a write; what lies between is zeros, as in a file with
  holes. (A disk gives back each sector whole, old or new: SQLite's "powersafe overwrite", and ours.)
- A name (create, link, rename, unlink, mkdir, rmdir) becomes durable by fsync of its folder, with the earlier
  changes of the same names. An fsync of a new file does not make its name durable, as POSIX has it, although ext4
  and xfs would. A rename is one change, between two folders too: an fsync of either makes it durable, and without
  one either both names show it or neither.
- Until then, in ordered mode, of each folder's pending changes a random prefix is kept (a journal); in strict mode
  each change by itself, except that a change is lost if an earlier one of the same name is.
- A folder that has no durable way from the root is lost with all that is in it.

SQLite's own habits fit: it syncs the folder of a journal or WAL at the file's first sync, and with it the
database's name. After deleting a rollback journal it syncs the folder only with synchronous=EXTRA; in WAL mode FULL
suffices. Its -shm file is a shared mapping that no commit
rests on, and is left out. Owners, modes and times of files are not followed.
"""

import os
import pathlib
from dataclasses import dataclass, field

from support.recording import Kind

SECTOR = 512
O_CREAT, O_TRUNC, O_TMPFILE = os.O_CREAT, os.O_TRUNC, os.O_TMPFILE
RENAME_EXCHANGE = 2


def is_shared_memory(path):
    return path.endswith("-shm")


@dataclass(eq=False)
class File:
    stable: bytearray = field(default_factory=bytearray)
    pending: list = field(default_factory=list)  # (offset, bytes), or (size, None) for a truncation

    def sync(self):
        for change in self.pending:
            apply(self.stable, change)
        self.pending.clear()

    def content(self, choose):
        """The bytes after a cut, `choose` saying of each change and sector whether it was kept."""
        if not self.pending:
            return self.stable
        bytes_ = bytearray(self.stable)
        for change in self.pending:
            for part in choose(change):
                apply(bytes_, part)
        return bytes_


def apply(content, change):
    offset, data = change
    if data is None:
        del content[offset:]
        content.extend(bytes(offset - len(content)))
        return
    if offset > len(content):
        content.extend(bytes(offset - len(content)))
    content[offset:offset + len(data)] = data


@dataclass(eq=False)
class Folder:
    now: dict = field(default_factory=dict)     # name -> File or Folder, as the program sees it
    stable: dict = field(default_factory=dict)  # the same, as it surely is on the disk


@dataclass(eq=False)
class Change:
    """One atomic change of names: [(folder, name, File, Folder or None)]."""
    entries: list
    emptied: Folder = None  # a folder that rmdir removed, which must have been empty by then

    def names(self):
        return [(id(folder), name) for folder, name, _ in self.entries]

    def folders(self):
        return [id(folder) for folder, _, _ in self.entries]


class Disk:
    def __init__(self, root, recorded_as=None):
        """The disk as it is in `root` now, all of it durable; `recorded_as` is its path in the recording."""
        self.root_path = os.path.realpath(recorded_as or root)
        self.inodes = {}
        self.root = self._read(pathlib.Path(root))
        self.inodes.clear()
        self.pending = []
        self.opened = {}
        self.operations = 0

    def _read(self, path):
        if path.is_dir():
            folder = Folder()
            for entry in path.iterdir():
                if not is_shared_memory(entry.name) and (entry.is_dir() or entry.is_file()):
                    folder.now[entry.name] = self._read(entry)
            folder.stable = dict(folder.now)
            return folder
        inode = path.stat().st_ino
        if inode not in self.inodes:
            self.inodes[inode] = File(bytearray(path.read_bytes()))
        return self.inodes[inode]

    # Following the recording

    def find(self, path):
        """(folder, name, what is there or None) of an absolute path."""
        levels = path[len(self.root_path):].strip("/").split("/")
        if levels == [""]:
            return None, "", self.root
        folder = self.root
        for level in levels[:-1]:
            folder = folder.now[level]
        return folder, levels[-1], folder.now.get(levels[-1])

    def change(self, *entries, emptied=None):
        self.pending.append(Change(list(entries), emptied))
        for folder, name, what in entries:
            if what is None:
                folder.now.pop(name, None)
            else:
                folder.now[name] = what

    def follow(self, operation):
        self.operations += 1
        if is_shared_memory(operation.path):
            return
        getattr(self, "_" + operation.kind.name.lower())(operation)

    def _open(self, operation):
        flags = operation.position
        if (flags & O_TMPFILE) == O_TMPFILE:
            self.opened[operation.file] = File()
            return
        folder, name, found = self.find(operation.path)
        if found is None and flags & O_CREAT:
            found = File()
            self.change((folder, name, found))
        elif isinstance(found, File) and flags & O_TRUNC:
            found.pending.append((0, None))
        assert found is not None, f"opened, but never seen to be made: {operation.path}"
        self.opened[operation.file] = found

    def _file(self, operation):
        return self.opened.get(operation.file) if operation.file else self.find(operation.path)[2]

    def _write(self, operation):
        if (file := self._file(operation)) is not None:
            file.pending.append((operation.position, operation.payload))

    def _truncate(self, operation):
        if (file := self._file(operation)) is not None:
            file.pending.append((operation.position, None))

    def _map(self, operation):
        assert self._file(operation) is None, "a shared writable mapping of something but SQLite's shared memory"

    def _sync(self, operation):
        target = self._file(operation)
        if isinstance(target, File):
            target.sync()
        elif isinstance(target, Folder):
            self.sync_folder(target)

    def _sync_all(self, _operation):
        for change in self.pending:
            self._settle(change)
        self.pending.clear()
        for what in self._everything(self.root):
            if isinstance(what, File):
                what.sync()

    def _everything(self, what):
        yield what
        if isinstance(what, Folder):
            for inner in what.now.values():
                yield from self._everything(inner)

    def sync_folder(self, folder):
        """The folder's changes and, from the last to the first, what they rest on."""
        names, emptied, kept, done = set(), set(), [], []
        for change in reversed(self.pending):
            if id(folder) in change.folders() or names & set(change.names()) or emptied & set(change.folders()):
                names.update(change.names())
                if change.emptied:
                    emptied.add(id(change.emptied))
                done.append(change)
            else:
                kept.append(change)
        for change in reversed(done):
            self._settle(change)
        self.pending = kept[::-1]

    def _settle(self, change):
        for folder, name, what in change.entries:
            if what is None:
                folder.stable.pop(name, None)
            else:
                folder.stable[name] = what

    def _rename(self, operation):
        assert "outside" not in (operation.path, operation.path2), "a rename over the edge of the recorded folder"
        source, old, what = self.find(operation.path)
        target, new, other = self.find(operation.path2)
        assert what is not None, f"renamed, but never seen to be made: {operation.path}"
        if what is other:
            return  # two links of one file: rename does nothing
        if operation.position & RENAME_EXCHANGE:
            self.change((source, old, other), (target, new, what))
            return
        emptied = other if isinstance(other, Folder) else None
        self.change((source, old, None), (target, new, what), emptied=emptied)

    def _link(self, operation):
        target, new, _ = self.find(operation.path2)
        what = self._file(operation)
        assert what is not None, f"linked, but never seen to be made: {operation.path}"
        self.change((target, new, what))

    def _unlink(self, operation):
        folder, name, what = self.find(operation.path)
        if what is not None:  # sockets are made by bind(), and are not followed
            self.change((folder, name, None))

    def _mkdir(self, operation):
        folder, name, _ = self.find(operation.path)
        self.change((folder, name, Folder()))

    def _rmdir(self, operation):
        folder, name, what = self.find(operation.path)
        self.change((folder, name, None), emptied=what)

    # Cutting the power

    def state(self, random, path, strict=None):
        """Writes one state that the disk could hold now into the new folder `path`; a word on how it was chosen."""
        strict = random.random() < 0.5 if strict is None else strict
        torn = random.random() < 0.5
        keep_names, keep_data = (random.choice((0.0, 0.3, 0.6, 0.9, 1.0)) for _ in range(2))
        view = self._names(random, strict, keep_names)

        def choose(change):
            offset, data = change
            if data is None or not torn:
                return [change] if random.random() < keep_data else []
            parts, start = [], 0
            while start < len(data):
                end = min(len(data), start + SECTOR - (offset + start) % SECTOR)
                if random.random() < keep_data:
                    parts.append((offset + start, data[start:end]))
                start = end
            return parts

        self._write_out(self.root, view, choose, pathlib.Path(path), {})
        return (f"{'strict' if strict else 'ordered'} names kept {keep_names:.0%}, "
                f"{'torn' if torn else 'whole'} writes kept {keep_data:.0%}")

    def whole(self, path):
        """The state with everything kept: what a program that reads the folder sees now."""
        view = {id(folder): folder.now for folder in self._everything(self.root) if isinstance(folder, Folder)}
        self._write_out(self.root, view, lambda change: [change], pathlib.Path(path), {})

    def _names(self, random, strict, keep):
        """{folder: its entries} with some of the pending changes."""
        view, lost_names, lost_folders = {}, set(), set()
        for change in self.pending:
            names, folders = set(change.names()), set(change.folders())
            lost = (names & lost_names) or (not strict and folders & lost_folders)
            lost = lost or (change.emptied is not None and id(change.emptied) in lost_folders)
            if lost or random.random() >= keep:
                lost_names |= names
                lost_folders |= folders
                continue
            for folder, name, what in change.entries:
                entries = view.setdefault(id(folder), dict(folder.stable))
                if what is None:
                    entries.pop(name, None)
                else:
                    entries[name] = what
        return view

    def _write_out(self, folder, view, choose, path, written):
        path.mkdir(mode=0o700)
        for name, what in view.get(id(folder), folder.stable).items():
            inner = path / name
            if isinstance(what, Folder):
                self._write_out(what, view, choose, inner, written)
            elif what in written:
                os.link(written[what], inner)
            else:
                with open(os.open(inner, os.O_CREAT | os.O_WRONLY, 0o600), "wb") as file:
                    file.write(what.content(choose))
                written[what] = inner
