"""What a disk may hold after a power cut, worked out from the record that ``power_cut.c`` made.

What was synced is there. Of a sector (512 bytes) that was written since, the disk holds any one of its contents since
the last sync, each sector for itself: so writes may be lost, torn, or kept while earlier ones are not. The same holds
of a file's size, and of a name: it is synced by a sync of its folder, and by nothing else. Where a file has grown and
a sector was not written, there are zeros or whatever lay there before.
"""
import struct

SECTOR = 512
#: SQLite's index of the WAL. It is shared memory, never synced, and made anew by the first to open the file: so after a
#: cut it is missing, or holds anything.
INDEX = "-shm"
_HEAD = struct.Struct("<4Q")


def records(raw):
    """(kind, thread, file, offset, data) of each; the kinds are those of ``power_cut.c``, and A: acknowledged."""
    at = 0
    while at < len(raw):
        kind, number, offset, length = _HEAD.unpack_from(raw, at)
        at += _HEAD.size
        yield chr(kind & 255), kind >> 8, number, offset, raw[at:at + length]
        at += length


def acknowledgement(text):
    """The record that a worker appends when a call of the store has returned to it."""
    return _HEAD.pack(ord("A"), 0, 0, len(text)) + text


class File:
    """``durable``: what no power cut takes away; ``pending``: (offset, data, size afterwards) of each write since."""

    def __init__(self, durable=b""):
        self.durable, self.pending, self.synced = bytearray(durable), [], 0

    @property
    def size(self):
        return self.pending[-1][2] if self.pending else len(self.durable)

    @property
    def writes(self):
        """How many there have been: a moment in the life of this file."""
        return self.synced + len(self.pending)

    def write(self, offset, data):
        self.pending.append((offset, data, max(self.size, offset + len(data))))

    def truncate(self, size):
        # What is cut off reads as zeros if the file grows again.
        self.pending.append((min(size, self.size), bytes(abs(self.size - size)), size))

    def sync(self, moment):
        """Everything up to that moment stays."""
        count = max(0, moment - self.synced)
        for offset, data, size in self.pending[:count]:
            _put(self.durable, offset, data)
            _resize(self.durable, size, b"\0")
        del self.pending[:count]
        self.synced += count

    def latest(self):
        return self.content([len(self.pending)] * len(self.pending), len(self.pending))[0]

    def content(self, kept, size_of, filler=b"\0"):
        """``kept``: of each pending write either a number, of which sectors hold what was written up to then, or
        sector → that number. ``size_of``: after how many writes the size was kept. Also how many writes were lost,
        and how many torn."""
        found, lost, torn = bytearray(self.durable), 0, 0
        size = self.pending[size_of - 1][2] if size_of else len(found)
        _resize(found, max([size] + [after for _, _, after in self.pending]), filler)
        for index, (offset, data, _) in enumerate(self.pending):
            choice = kept[index]
            if not isinstance(choice, dict):
                if choice > index:
                    _put(found, offset, data)
                else:
                    lost += 1
                continue
            parts = list(_sectors(offset, len(data)))
            there = [part for part in parts if choice[part[0]] > index]
            for _, start, end in there:
                _put(found, start, data[start - offset:end - offset])
            lost, torn = lost + (not there), torn + (0 < len(there) < len(parts))
        _resize(found, size, filler)
        return bytes(found), lost, torn


def _sectors(offset, length):
    """(sector, start, end) of each that is touched."""
    for sector in range(offset // SECTOR, (offset + length + SECTOR - 1) // SECTOR):
        yield sector, max(offset, sector * SECTOR), min(offset + length, (sector + 1) * SECTOR)


def _put(content, offset, data):
    _resize(content, max(len(content), offset + len(data)), b"\0")
    content[offset:offset + len(data)] = data


def _resize(content, size, filler):
    if size < len(content):
        del content[size:]
    elif size > len(content):
        content.extend((filler * (size - len(content)))[:size - len(content)])


class Name:
    """``history``: the file, or None, at the last sync of the folder, and after each change since."""

    def __init__(self, file=None):
        self.history, self.synced = [file], 0

    @property
    def moment(self):
        return self.synced + len(self.history)

    def sync(self, moment):
        count = max(0, moment - self.synced - 1)
        del self.history[:count]
        self.synced += count


class Disk:
    """``start``: name → bytes that are there already. ``ignored``: syncs that this disk only claims to have made:
    "files", "names"."""

    def __init__(self, start=(), ignored=()):
        self.names = {name: Name(File(content)) for name, content in dict(start).items()}
        self.files, self.begun, self.ignored, self.acknowledged = {}, {}, ignored, []

    def play(self, kind, thread, number, offset, data):
        """Carry on by one record."""
        if kind == "A":
            self.acknowledged.append(data)
        elif kind in "CO":
            self._opened(kind, number, data.decode("utf-8"))
        elif kind == "U":
            self.names[data.decode("utf-8")].history.append(None)
        elif kind == "W":
            self.files[number].write(offset, data)
        elif kind == "T":
            self.files[number].truncate(offset)
        elif kind == "B":
            self.begun[thread] = ({text: name.moment for text, name in self.names.items()} if number == 0 else
                                  self.files[number].writes)
        elif kind == "E" and ("names" if number == 0 else "files") not in self.ignored:
            self._synced(number, self.begun.pop(thread))

    def _opened(self, kind, number, text):
        name = self.names.setdefault(text, Name())
        there = name.history[-1]
        # Another process may open a new file before the one that made it has recorded so.
        if there is None or (kind == "C" and self.files.get(number) is not there):
            there = File()      # the number may have been another file's, which was removed
            name.history.append(there)
        self.files[number] = there

    def _synced(self, number, moment):
        if number:
            self.files[number].sync(moment)
            return
        for text, until in moment.items():
            self.names[text].sync(until)

    def latest(self):
        """What is there while the power stays on, but for the index."""
        return {text: name.history[-1].latest() for text, name in self.names.items()
                if name.history[-1] is not None and not text.endswith(INDEX)}

    def after_a_cut(self, rng):
        """name → bytes, one of the many possibilities; and a dict: of the writes that were ``pending``, how many were
        ``dropped``, how many ``torn``; and of how many ``names`` a change was lost."""
        tally, image = {"pending": 0, "dropped": 0, "torn": 0, "names": 0}, {}
        everything = rng.random() < 0.25
        for text, name in sorted(self.names.items()):
            history = name.history
            which = 0 if everything else rng.randrange(len(history))
            if text.endswith(INDEX):
                if rng.random() < 0.5:
                    image[text] = rng.getrandbits(8 * 32768).to_bytes(32768, "big")
                continue
            tally["names"] += which < len(history) - 1
            if history[which] is None:
                continue
            image[text], lost, torn = _one_content(history[which], rng, everything)
            tally["pending"] += len(history[which].pending)
            tally["dropped"] += lost
            tally["torn"] += torn
        return image, tally


def _one_content(file, rng, everything):
    count, touched = len(file.pending), [_sectors(offset, len(data)) for offset, data, _ in file.pending]
    filler = bytes(rng.getrandbits(8) for _ in range(64)) if rng.random() < 0.5 else b"\0"
    how = "lost" if everything else rng.choice(["lost", "kept", "up to one", "scattered", "a few lost", "a few kept"])
    if how == "lost":
        return file.content([0] * count, 0, filler)
    if how == "kept":
        return file.content([count] * count, count, filler)
    if how == "up to one":      # and this one is torn
        last = rng.randrange(count + 1)
        kept = [last] * count
        if last < count:
            kept[last] = {sector: rng.choice([last, last + 1]) for sector, _, _ in touched[last]}
        return file.content(kept, rng.choice([last, min(last + 1, count)]), filler)
    sectors = sorted({sector for parts in touched for sector, _, _ in parts})
    if how == "scattered":
        chosen = {sector: rng.randrange(count + 1) for sector in sectors}
    else:
        few = set(rng.sample(sectors, min(len(sectors), rng.randint(1, 3))))
        chosen = {sector: rng.randrange(count + 1) if (sector in few) == (how == "a few lost") else
                  count if how == "a few lost" else 0 for sector in sectors}
    return file.content([chosen] * count, rng.randint(0, count) if how == "scattered" else count, filler)
