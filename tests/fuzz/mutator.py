"""Damage valid files in a seeded way: bits, lengths, chunks, tags, truncation, bombs, splices of two files."""

import random
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Damage = Callable[[random.Random, bytes, bytes], bytes]

_EXTREMES = (0, 1, 2, 3, 7, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, -2, -1)
# Sides that are odd, about as large as is read, or too large.
_SIDES = (0, 1, 9, 255, 1999, 2000, 4000, 6000, 6324, 6400, 30000, 65535)
# (group, element) of what lays out the pixels of a DICOM image, little endian.
_LAYOUT = tuple(
    struct.pack("<HH", 0x28, element)
    for element in (0x2, 0x4, 0x6, 0x8, 0x10, 0x11, 0x100, 0x101, 0x102, 0x103, 0x1101, 0x1201, 0x3002, 0x3006)
)
_SYNTAX_ENDS = (b".1\0", b".2\0", b".5\0", *(b".%d.%02d" % end for end in ((1, 99), *((4, n) for n in range(50, 92)))))
# Start of the header of a compressed frame, where its height lies after that, and the size of a number there.
_CODESTREAMS = ((b"\xff\x4f\xff\x51", 8, 4), (b"\xff\xf7", 5, 2), (b"\xff\xc3", 5, 2), (b"\xff\xc0", 5, 2))
_PNG_MARK = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Mutant:
    """A damaged file and how it was made.

    Attributes:
        recipe: the file that it was and the kinds of damage, in order.
        data: its bytes.
    """

    recipe: str
    data: bytes


def mutant(seed: int, number: int, files: Mapping[str, bytes]) -> Mutant:
    """The mutant of a seed and number: every file takes its turn, with one to three kinds of damage."""
    chance = random.Random(f"{seed}:{number}")
    names = list(files)
    name = names[number % len(names)]
    data, recipe = files[name], [name]
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        damage = chance.choice((*ANY, *_fitting(data) * 2))
        data = damage(chance, data, files[chance.choice(names)])
        recipe.append(damage.__name__)
    return Mutant(", ".join(recipe), data)


def _fitting(data: bytes) -> tuple[Damage, ...]:
    """Damage that knows the format."""
    if data.startswith(_PNG_MARK):
        return (png_header, png_chunk, png_pixels, png_bomb)
    if data.startswith(b"\xff\xd8"):
        return (jpeg_size, jpeg_segments, jpeg_closed)
    if data[:2] in (b"II", b"MM"):
        return (tiff_entry, tiff_entry, tiff_loop)
    if data[128:132] == b"DICM":
        return (dicom_layout, dicom_layout, dicom_syntax, dicom_codestream_size)
    return ()


def flip_bits(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """One to eight bits, anywhere or among the first 512 bytes."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        changed[_place(chance, data)] ^= 1 << chance.randrange(8)
    return bytes(changed)


def replace_run(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """A run of bytes becomes zeros, ones or noise."""
    start, length = _place(chance, data), chance.choice((1, 2, 4, 16, 100))
    run = chance.choice((bytes(length), b"\xff" * length, chance.randbytes(length)))
    return (data[:start] + run + data[start + length :])[: len(data)]


def truncate(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """The end is missing."""
    return data[: chance.randint(1, len(data))]


def repeat_block(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """A block comes several times."""
    start, length = _place(chance, data), chance.choice((1, 2, 12, 64, 512))
    return data[:start] + data[start : start + length] * chance.choice((2, 3, 40)) + data[start + length :]


def remove_block(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """A block is missing."""
    start = _place(chance, data)
    return data[:start] + data[start + chance.choice((1, 2, 12, 64, 512)) :] or b"\0"


def swap_blocks(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """Two blocks of one length change places."""
    length = chance.choice((1, 2, 4, 12, 64))
    first, second = sorted((_place(chance, data), _place(chance, data)))
    if second < first + length:
        return data
    between = data[first + length : second]
    moved = data[second : second + length] + between + data[first : first + length]
    return data[:first] + moved + data[second + length :]


def extreme_integer(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """1, 2, 4 or 8 bytes become a number at the edge of some type, in either byte order."""
    size = chance.choice((1, 2, 2, 4, 4, 8))
    number = chance.choice(_EXTREMES) % (1 << 8 * size)
    start = _place(chance, data)
    return data[:start] + number.to_bytes(size, chance.choice(("little", "big"))) + data[start + size :]


def splice(chance: random.Random, data: bytes, other: bytes) -> bytes:
    """The head of this file and the tail of another, of whatever format."""
    return data[: _place(chance, data) + 1] + other[chance.randrange(len(other)) :]


def append_other(_chance: random.Random, data: bytes, other: bytes) -> bytes:
    """Two files in one."""
    return data + other


def insert_other(chance: random.Random, data: bytes, other: bytes) -> bytes:
    """The whole of another file in the middle of this one."""
    start = _place(chance, data)
    return data[:start] + other + data[start:]


def head_of_other(chance: random.Random, data: bytes, other: bytes) -> bytes:
    """The start of another file over the pixels of this one."""
    length = chance.choice((4, 8, 26, 132, 340))
    return other[:length] + data[length:]


def png_header(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """A width, height, depth, colour type or interlacing of its own, with the right checksum."""
    header = bytearray(data[16:29].ljust(13, b"\0"))
    header[0:8] = struct.pack(">II", *_new_size(chance, struct.unpack(">II", header[0:8])))
    header[8:] = (chance.choice((header[at], header[at], chance.randrange(17))) for at in range(8, 13))
    return _PNG_MARK + _chunk(b"IHDR", bytes(header)) + data[33:]


def png_chunk(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """One chunk doubled, dropped, moved to the front or renamed; or with noise and the right checksum."""
    chunks = _chunks(data)
    if len(chunks) < 2:
        return data
    at = chance.randrange(len(chunks))
    kind, body = chunks[at]
    noise = chance.randbytes(chance.choice((0, 1, 4, 300)))
    name = chance.choice((b"IDAT", b"PLTE", b"tRNS", b"iCCP", b"zTXt", b"eXIf", b"acTL", b"fcTL", b"fdAT", b"gAMA"))
    edits = (
        [(kind, body)] * chance.choice((2, 50)),
        [],
        [(name, body)],
        [(kind, noise + body[len(noise) :])],
        [(name, noise), (kind, body)],
    )
    chunks[at : at + 1] = chance.choice(edits)
    return _PNG_MARK + b"".join(_chunk(*chunk) for chunk in chunks)


def png_pixels(chance: random.Random, data: bytes, other: bytes) -> bytes:
    """Other bytes inside a sound zlib stream: too few, too many, wrong filters."""
    body = chance.choice((chance.randbytes(3000), other, bytes(100), b"\x05" * 5000))
    return _with_pixels(data, zlib.compress(body))


def png_bomb(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """Pixels or text that inflate a thousandfold."""
    body = zlib.compress(bytes(chance.choice((10**6, 4 * 10**7))), 9)
    if chance.random() < 0.5:
        return data[:33] + _chunk(chance.choice((b"zTXt", b"iCCP")), b"a\0\0" + body) + data[33:]
    width, height = _new_size(chance, (6000, 6000))
    return _with_pixels(_PNG_MARK + _chunk(b"IHDR", struct.pack(">II", width, height) + data[24:29]) + data[33:], body)


def jpeg_size(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """Another height, width, precision, sampling or coding process in the frame header."""
    at = max(data.find(mark) for mark in (b"\xff\xc0", b"\xff\xc1", b"\xff\xc2"))
    if at < 0 or at + 10 > len(data):
        return data
    changed = bytearray(data)
    height, width = struct.unpack(">HH", data[at + 5 : at + 9])
    changed[at + 5 : at + 9] = struct.pack(">HH", *(side & 0xFFFF for side in _new_size(chance, (height, width))))
    changed[at + chance.choice((1, 4, 9, 11))] = chance.choice((1, 2, 3, 4, 12, 0x11, 0x22, 0x44, 0xC0, 0xC2, 0xC9))
    return bytes(changed if chance.random() < 0.5 else changed[: at + 9] + data[at + 9 :])


def jpeg_segments(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """A segment doubled many times, dropped or moved."""
    starts = [at for at in range(len(data) - 1) if data[at] == 0xFF and data[at + 1] not in (0, 0xFF)]
    if len(starts) < 4:
        return data
    first, last = sorted(chance.sample([*starts, len(data)], 2))
    segment = data[first:last]
    return data[:first] + chance.choice((b"", segment * 2, segment * 60)) + data[last:] or b"\0"


def jpeg_closed(chance: random.Random, data: bytes, other: bytes) -> bytes:
    """A frame of another size that ends early but properly, so that the decoder fills in the rest."""
    changed = jpeg_size(chance, data, other)
    return changed[: chance.randint(len(changed) // 2, len(changed))] + b"\xff\xd9"


def tiff_entry(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """Tag, type, count or value of one entry of the first directory."""
    order = "little" if data[:1] == b"I" else "big"
    start = int.from_bytes(data[4:8], order) + 2
    count = int.from_bytes(data[start - 2 : start], order)
    if not 0 < count < 100 or data[2:3] == b"+":
        return extreme_integer(chance, data, b"")
    entry = start + 12 * chance.randrange(count)
    place, size = chance.choice(((0, 2), (2, 2), (4, 4), (8, 4), (8, 2)))
    numbers = (*_EXTREMES, *_SIDES, 5, 6, 8, 16, 32, 64, 256, 257, 258, 259, 262, 273, 279, 322, 32773, 34712)
    number = (chance.choice(numbers) % (1 << 8 * size)).to_bytes(size, order)
    return data[: entry + place] + number + data[entry + place + size :]


def tiff_loop(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """Directories that point at each other or at themselves."""
    order = "little" if data[:1] == b"I" else "big"
    start = int.from_bytes(data[4:8], order)
    after = start + 2 + 12 * int.from_bytes(data[start : start + 2], order)
    target = chance.choice((start, 8, 4, len(data) - 4, chance.randrange(len(data))))
    return data[:after] + target.to_bytes(4, order) + data[after + 4 :]


def dicom_layout(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """Another number in one to three of the elements that lay out the pixels."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        at = data.find(chance.choice(_LAYOUT), 132)
        if 0 < at < len(data) - 10:
            number = chance.choice((*_EXTREMES, *_SIDES, 4, 8, 12, 16, 32, 64)) & 0xFFFF
            changed[at + 8 : at + 10] = number.to_bytes(2, "little")
    return bytes(changed)


def dicom_syntax(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """Another transfer syntax than the dataset is written in."""
    at = data.find(b"1.2.840.10008.1.2", data.find(b"\x02\0\x10\0"))
    return data if at < 0 else data[: at + 17] + chance.choice(_SYNTAX_ENDS) + data[at + 17 :]


def dicom_codestream_size(chance: random.Random, data: bytes, other: bytes) -> bytes:
    """Another size in the JPEG, JPEG-LS or JPEG 2000 header under an honest DICOM header."""
    for mark, place, size in _CODESTREAMS:
        at = data.find(mark)
        if at > 0:
            sides = (chance.choice(_SIDES).to_bytes(size, "big") for _ in range(2))
            return data[: at + place] + b"".join(sides) + data[at + place + 2 * size :]
    return extreme_integer(chance, data, other)


ANY: tuple[Damage, ...] = (
    flip_bits,
    replace_run,
    truncate,
    repeat_block,
    remove_block,
    swap_blocks,
    extreme_integer,
    extreme_integer,
    splice,
    append_other,
    insert_other,
    head_of_other,
)


def _place(chance: random.Random, data: bytes) -> int:
    """Anywhere in the file, more often near its start, where the headers are."""
    return chance.randrange(chance.choice((len(data), min(len(data), 512), min(len(data), 64))))


def _new_size(chance: random.Random, size: tuple[int, ...]) -> list[int]:
    """Two sides, each kept or changed."""
    return [chance.choice((side, chance.choice(_SIDES), chance.choice(_SIDES))) for side in size]


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """(name, body) of the chunks of a PNG, as far as they can be followed."""
    chunks, at = [], len(_PNG_MARK)
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    return chunks


def _with_pixels(data: bytes, stream: bytes) -> bytes:
    """A PNG with another zlib stream in the place of its first IDAT chunk."""
    return _PNG_MARK + b"".join(_chunk(kind, stream if kind == b"IDAT" else body) for kind, body in _chunks(data))
