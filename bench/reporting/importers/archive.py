"""Members of a zip file, also those that are compressed with Zstandard, as Inspect writes them.

Called by `bench.reporting.importers.inspect_log`. Python reads method 93 from 3.14 on; before, the
bytes are cut out here and pyarrow, which the project needs anyway, decompresses them.
"""

import struct
import zipfile
import zlib
from pathlib import Path

from bench.errors import RunError

ZSTANDARD = 93  # APPNOTE.TXT 6.3.10, section 4.4.5
LOCAL_HEADER = 30  # bytes before name and extra field (section 4.3.7); their lengths are at 26, 28

# What zipfile, zlib, pyarrow and struct raise for bytes that are not as the headers say; an
# encrypted member is a RuntimeError.
DAMAGE = (OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error, struct.error)


def read_members(path: Path, remedy: str) -> dict[str, bytes]:
    """The content of each member of the zip file at `path`, by name.

    Raises:
        RunError: the file is missing, no zip file, or damaged.
    """
    try:
        raw = path.read_bytes()
        with zipfile.ZipFile(path) as archive:
            return {
                member.filename: _zstandard(raw, member)
                if member.compress_type == ZSTANDARD
                else archive.read(member)
                for member in archive.infolist()
            }
    except FileNotFoundError:
        raise RunError(f"{path}: not there", remedy) from None
    except DAMAGE as error:
        raise RunError(f"{path}: cannot be read as a zip file: {error}", remedy) from None


def _zstandard(raw: bytes, member: zipfile.ZipInfo) -> bytes:
    """The member's bytes; a member may hold several frames, one behind the other.

    Raises:
        ValueError: they are not as long, or not those, as the zip file says.
    """
    import pyarrow  # takes a while, and older logs need it not

    name, extra = struct.unpack_from("<HH", raw, member.header_offset + LOCAL_HEADER - 4)
    start = member.header_offset + LOCAL_HEADER + name + extra
    packed = pyarrow.BufferReader(raw[start : start + member.compress_size])
    with pyarrow.input_stream(packed, compression="zstd") as stream:
        found: bytes = stream.read()
    if zlib.crc32(found) != member.CRC:
        raise ValueError(f"{member.filename} is damaged")
    return found
