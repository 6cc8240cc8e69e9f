"""File offsets of an ELF file's functions, for peers that want numbers. Independent of src/sym."""
import struct

SHT_SYMTAB, SHT_DYNSYM, PT_LOAD, STT_FUNC = 2, 11, 1, 2


def rows(image, at, size, count):
    return [image[at + i * size:at + (i + 1) * size] for i in range(count)]


def loads(image):
    """(address, file offset, bytes) of what is mapped."""
    start, = struct.unpack_from('<Q', image, 32)
    size, count = struct.unpack_from('<HH', image, 54)
    headers = [struct.unpack('<IIQQQQQQ', row) for row in rows(image, start, size, count)]
    return [(h[3], h[2], h[5]) for h in headers if h[0] == PT_LOAD]


def sections(image):
    start, = struct.unpack_from('<Q', image, 40)
    size, count = struct.unpack_from('<HH', image, 58)
    return [struct.unpack('<IIQQQQIIQQ', row) for row in rows(image, start, size, count)]


def name_at(image, strings, at):
    start = strings[4] + at
    return image[start:image.index(b'\0', start)].decode()


def functions(path):
    """{name: file offset} of all functions of a 64-bit little-endian ELF file."""
    with open(path, 'rb') as file:
        image = file.read()
    found, segments, headers = {}, loads(image), sections(image)
    for header in headers:
        if header[1] not in (SHT_SYMTAB, SHT_DYNSYM):
            continue
        for row in rows(image, header[4], header[9], header[5] // header[9]):
            name, info, _, section, value, _ = struct.unpack('<IBBHQQ', row)
            if info & 15 != STT_FUNC or not section:
                continue
            for address, offset, size in segments:
                if address <= value < address + size:
                    found[name_at(image, headers[header[6]], name)] = value - address + offset
    return found
