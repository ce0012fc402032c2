"""A reader of envelope v1, written from proto-docs/envelope.md alone. It opens the good test vectors and
refuses the hostile ones for their reasons, so the document says enough for another implementation.

    python3 envelope_v1.py <folder of the vectors>
"""

import base64
import hashlib
import hmac
import json
import pathlib
import struct
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

LAST = 1 << 31
PAGE_FRAMES = 1024


class Refused(Exception):
    def __init__(self, name, number=None):
        super().__init__(name if number is None else f"{name}({number})")


class Source:
    """Takes bytes off the front."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count, otherwise="Truncated"):
        if len(self.data) - self.at < count:
            raise Refused(otherwise)
        self.at += count
        return self.data[self.at - count : self.at]

    def rest(self):
        return self.data[self.at :]


class BadBlock(Exception):
    pass


def lz4_block(block, limit):
    source, out = Source(block), bytearray()

    def length(nibble):
        total, more = nibble, nibble == 15
        while more:
            (byte,) = source.take(1)
            total, more = total + byte, byte == 255
        return total

    try:
        while True:
            (token,) = source.take(1)
            out += source.take(length(token >> 4))
            if len(out) > limit:
                raise BadBlock
            if not source.rest():
                return bytes(out)
            (offset,) = struct.unpack("<H", source.take(2))
            match = length(token & 15) + 4
            if not 0 < offset <= len(out) or len(out) + match > limit:
                raise BadBlock
            for _ in range(match):
                out.append(out[-offset])
    except Refused:
        raise BadBlock from None


def parse_prefix(prefix):
    if prefix[:7] != b"COFFER\0":
        raise Refused("NotAnEnvelope")
    version, suite, compression, reserved, frame_size = struct.unpack(">BHBBI", prefix[7:16])
    if version != 1:
        raise Refused("Version", version)
    if suite != 1:
        raise Refused("Suite", suite)
    if compression > 1:
        raise Refused("Compression", compression)
    if reserved:
        raise Refused("Reserved")
    if not 4096 <= frame_size <= 1 << 20 or frame_size & (frame_size - 1):
        raise Refused("FrameSize", frame_size)
    return frame_size


def parse_stanzas(content):
    source, stanzas = Source(content), []
    (count,) = source.take(1, "StanzaSection")
    if not 1 <= count <= 16:
        raise Refused("StanzaCount", count)
    for _ in range(count):
        (kind,) = source.take(1, "StanzaSection")
        if kind != 1:
            raise Refused("StanzaKind", kind)
        file_key, version, length = struct.unpack(">16sIH", source.take(22, "StanzaSection"))
        if length > 512:
            raise Refused("StanzaSection")
        stanzas.append((file_key, version, source.take(length, "StanzaSection")))
    if source.rest():
        raise Refused("StanzaSection")
    return stanzas


def gcm_open(key, nonce, aad, sealed, *refusal):
    try:
        return AESGCM(key).decrypt(nonce, sealed, aad)
    except (InvalidTag, ValueError):
        raise Refused(*refusal) from None


def nonce_of(number, last):
    return struct.pack(">3xBQ", last, number)


def open_content(content, frame_size, number, last):
    encoding, data = content[0], content[1:]
    try:
        plaintext = lz4_block(data, frame_size) if encoding == 1 else data
    except BadBlock:
        raise Refused("FrameEncoding", number) from None
    if encoding > 1 or len(plaintext) > frame_size:
        raise Refused("FrameEncoding", number)
    if (len(plaintext) < frame_size and not last) or (not plaintext and last and number):
        raise Refused("FrameShort", number)
    return plaintext


def is_name(text):
    control = any(ord(c) < 32 or 127 <= ord(c) < 160 for c in text)
    segments = all(segment not in ("", ".", "..") for segment in text.split("/"))
    return len(text.encode()) <= 1024 and not control and segments and "\\" not in text


# Fields of one number: by tag their name, their form, and what stands for one that is not there.
NUMBERS = {
    3: ("modified_at_ms", ">q", bytes(8)),
    4: ("created_at_ms", ">q", bytes(8)),
    5: ("mode", ">H", bytes(2)),
    6: ("kind", ">B", b"\1"),
    7: ("modified_nanos", ">I", bytes(4)),
}
KINDS = {1: "File", 2: "Directory", 3: "SymbolicLink"}


def parse_last_part(content):
    malformed = Refused("LastPartFormat")
    if not content or len(content) > 4096 or len(content) % 256:
        raise malformed
    sizes, source, fields, last_tag = struct.unpack(">3Q", content[:24]), Source(content[24:]), {}, 0
    while source.rest() and source.rest()[0]:
        tag, length = struct.unpack(">BH", source.take(3, "LastPartFormat"))
        value = source.take(length, "LastPartFormat")
        if tag <= last_tag:
            raise malformed
        fields[tag], last_tag = value, tag
    if any(source.rest()) or len(source.rest()) >= 256:
        raise malformed
    try:
        name, media_type = fields.get(1, b"x").decode(), fields.get(2, b"x").decode("ascii")
        numbers = [struct.unpack(form, fields.get(tag, none))[0] for tag, (_, form, none) in NUMBERS.items()]
    except (UnicodeDecodeError, struct.error):
        raise malformed from None
    if not is_name(name) or not 1 <= len(media_type) <= 255 or not media_type.isprintable():
        raise malformed
    _, _, mode, kind, nanos = numbers
    if mode > 0o7777 or kind not in KINDS or nanos >= 1_000_000:
        raise malformed
    numbers[3] = KINDS[kind]
    values = dict(zip((1, 2, *NUMBERS), (name, media_type, *numbers), strict=True))
    labels = {1: "name", 2: "media_type", **{tag: label for tag, (label, _, _) in NUMBERS.items()}}
    return sizes, {label: values[tag] if tag in fields else None for tag, label in labels.items()}


class Envelope:
    """Opens one envelope; afterwards `stanzas`, `plaintext` and `details` hold what was in it."""

    def __init__(self, envelope, content_key):
        self.source = Source(envelope)
        self.content_key = content_key
        self.prefix = self.source.take(96)
        self.prefix_hash = hashlib.sha256(self.prefix).digest()
        self.frame_size = parse_prefix(self.prefix)
        self.open_stanzas()
        self.plaintext, lengths = self.open_frames()
        body_size = self.check_index(lengths)
        self.details = self.open_last_part((len(self.plaintext), len(lengths), body_size))

    def key(self, purpose):
        info = b"coffer envelope v1\0" + purpose + b"\0" + self.prefix[:64]
        return HKDF(hashes.SHA256(), 32, self.prefix[32:64], info).derive(self.content_key)

    def open_stanzas(self):
        (length,) = struct.unpack(">I", self.source.take(4))
        if length > 8593:
            raise Refused("StanzaSection")
        section = self.source.take(length)
        if length < 32:
            raise Refused("StanzaSection")
        content, code = section[:-32], section[-32:]
        self.stanzas = parse_stanzas(content)
        if not hmac.compare_digest(self.key(b"commitment"), self.prefix[64:]):
            raise Refused("WrongKey")
        if not hmac.compare_digest(hmac.digest(self.key(b"stanzas"), self.prefix_hash + content, "sha256"), code):
            raise Refused("StanzasChanged")

    def open_frames(self):
        key, plaintext, lengths, last = self.key(b"frames"), bytearray(), [], False
        while not last:
            number = len(lengths)
            if number == 1 << 24:
                raise Refused("TooManyFrames")
            (header,) = struct.unpack(">I", self.source.take(4))
            last, length = bool(header & LAST), header & ~LAST
            if not 17 <= length <= self.frame_size + 17:
                raise Refused("FrameLength", number)
            sealed = self.source.take(length)
            content = gcm_open(key, nonce_of(number, last), self.prefix_hash, sealed, "Frame", number)
            plaintext += open_content(content, self.frame_size, number, last)
            lengths.append(length)
        return bytes(plaintext), lengths

    def check_index(self, lengths):
        key, offset = self.key(b"index"), 0
        for number, at in enumerate(range(0, len(lengths), PAGE_FRAMES)):
            page = lengths[at : at + PAGE_FRAMES]
            nonce = nonce_of(number, at + PAGE_FRAMES >= len(lengths))
            sealed = self.source.take(24 + 4 * len(page))
            content = gcm_open(key, nonce, self.prefix_hash, sealed, "Index", number)
            if content != struct.pack(f">Q{len(page)}I", offset, *page):
                raise Refused("IndexMismatch", number)
            offset += sum(page) + 4 * len(page)
        return offset

    def open_last_part(self, sizes):
        rest = self.source.rest()
        if len(rest) > 4128:
            raise Refused("Extended")
        if len(rest) < 4:
            raise Refused("Truncated")
        (length,) = struct.unpack(">I", rest[-4:])
        if len(rest) - 4 != length:
            raise Refused("Truncated" if len(rest) - 4 < length else "Extended")
        nonce, sealed = rest[:12], rest[12:-4]
        told, details = parse_last_part(gcm_open(self.key(b"last part"), nonce, self.prefix_hash, sealed, "LastPart"))
        if told != sizes:
            raise Refused("LastPartMismatch")
        return details


def check_good(vector, keys):
    content_key = bytes.fromhex(vector["content_key"])
    envelope = Envelope(base64.b64decode(vector["envelope"]), content_key)
    oaep = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
    for name, (file_key, version, wrapped) in zip(vector["stanzas"], envelope.stanzas, strict=True):
        key = keys[name]
        private = serialization.load_pem_private_key(key["private_key_pkcs8_pem"].encode(), None)
        assert private.decrypt(wrapped, oaep) == content_key
        assert (file_key.hex(), version) == (key["file_key"].replace("-", ""), key["version"])
    repeat, count = base64.b64decode(vector["plaintext"]["repeat"]), vector["plaintext"]["bytes"]
    assert envelope.plaintext == (repeat * (count // max(len(repeat), 1) + 1))[:count]
    assert envelope.details == vector["details"]
    assert envelope.prefix_hash.hex() == vector["prefix_hash"]


def check_hostile(vector):
    try:
        Envelope(base64.b64decode(vector["envelope"]), bytes.fromhex(vector["content_key"]))
    except Refused as refused:
        assert str(refused) == vector["refusal"], f"{refused} instead of {vector['refusal']}"
    else:
        raise AssertionError("it opens")


def main():
    folder = pathlib.Path(sys.argv[1])
    keys, good, hostile = (json.loads((folder / f"{name}.json").read_bytes()) for name in ("keys", "good", "hostile"))
    keys = {key["name"]: key for key in keys["keys"]}
    checks = [(vector, lambda v: check_good(v, keys)) for vector in good]
    checks += [(vector, check_hostile) for vector in hostile]
    for vector, check in checks:
        try:
            check(vector)
        except Exception as err:
            sys.exit(f"{vector['name']}: {type(err).__name__} {err}")
    print(len(checks))


main()
