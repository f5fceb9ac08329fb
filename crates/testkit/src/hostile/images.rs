//! Pictures that promise more than they hold.

type Made = fn() -> Vec<u8>;

/// Name and maker, PNG.
pub(super) const PNG: &[(&str, Made)] = &[
    ("a-png-of-four-billion-pixels", || png(65_535, 65_535, &[0; 4096])),
    ("a-png-of-more-pixels-than-there-are", || png(0x7fff_ffff, 0x7fff_ffff, &[0; 64])),
    ("a-png-within-every-limit-but-time", || png(10_000, 10_000, &[0; 64])),
    ("a-png-of-no-pixels", || png(0, 0, b"")),
    ("a-png-that-ends-at-once", || png(100, 100, b"")[..40].to_vec()),
];

/// Name and maker, TIFF.
pub(super) const TIFF: &[(&str, Made)] = &[
    ("a-tiff-that-follows-itself", || tiff(&[(8, &[(256, 4, 1, 10), (257, 4, 1, 10)], 8)])),
    ("a-tiff-of-a-hundred-thousand-pages", || {
        // The smallest directory there is, over and over.
        let mut file = b"II*\0\x08\0\0\0".to_vec();
        for page in 0..100_000_u32 {
            file.extend(0_u16.to_le_bytes());
            file.extend((8 + (page + 1) * 6).to_le_bytes());
        }
        file
    }),
    ("a-tiff-of-four-billion-strips", || {
        tiff(&[(
            8,
            &[(256, 4, 1, 60_000), (257, 4, 1, 60_000), (273, 4, u32::MAX, 8), (279, 4, u32::MAX, 8)],
            0,
        )])
    }),
    ("a-tiff-of-a-strip-as-tall-as-the-sky", || {
        tiff(&[(
            8,
            &[(256, 4, 1, 1), (257, 4, 1, u32::MAX), (278, 4, 1, u32::MAX), (273, 4, 1, 8), (279, 4, 1, 8)],
            0,
        )])
    }),
];

/// Name and maker, JPEG.
pub(super) const JPEG: &[(&str, Made)] = &[
    ("a-jpeg-of-four-billion-pixels", || jpeg(65_535, 65_535)),
    ("a-jpeg-of-endless-scans", || {
        let mut file = jpeg(4000, 4000);
        for _ in 0..20_000 {
            file.extend(b"\xff\xda\0\x08\x01\x01\0\x01\x01\0");
        }
        file
    }),
];

/// Name and maker, GIF.
pub(super) const GIF: &[(&str, Made)] = &[("a-gif-as-large-as-it-can-say", || {
    b"GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\xff\xff\xff\xff\0\x02\x02L\x01\0;".to_vec()
})];

/// Name and maker, WebP.
pub(super) const WEBP: &[(&str, Made)] = &[("a-webp-as-large-as-it-can-say", || {
    let mut file = b"RIFF\x1e\0\0\0WEBPVP8L\x11\0\0\0/\xff\xff\xff\x0f".to_vec();
    file.extend([0; 13]);
    file
})];

/// A grey PNG that claims a size; its data are `rows`, deflated. Checksums are right: decoders ask for them first.
fn png(width: u32, height: u32, rows: &[u8]) -> Vec<u8> {
    let mut head = Vec::new();
    head.extend(width.to_be_bytes());
    head.extend(height.to_be_bytes());
    head.extend([8, 0, 0, 0, 0]);
    let data = super::pdf::deflated(rows, 4096);
    [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"IHDR", &head), chunk(b"IDAT", &data), chunk(b"IEND", b"")]
        .concat()
}

fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes();
    let named = [name.as_slice(), data].concat();
    [length.to_vec(), named.clone(), crc32(&named).to_be_bytes().to_vec()].concat()
}

/// As PNG's specification has it, annex D.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

/// An entry of a directory: tag, type, count, value.
type Entry = (u16, u16, u32, u32);

/// A little-endian TIFF of directories: where each stands, its entries, where the next one is.
fn tiff(directories: &[(usize, &[Entry], u32)]) -> Vec<u8> {
    let mut file = b"II*\0\x08\0\0\0".to_vec();
    for (at, entries, next) in directories {
        file.resize(*at, 0);
        file.extend(u16::try_from(entries.len()).unwrap_or(u16::MAX).to_le_bytes());
        for (tag, kind, count, value) in *entries {
            file.extend(tag.to_le_bytes());
            file.extend(kind.to_le_bytes());
            file.extend(count.to_le_bytes());
            file.extend(value.to_le_bytes());
        }
        file.extend(next.to_le_bytes());
    }
    file
}

/// The head of a grey JPEG that claims a size, with one table of each kind and a scan of nothing.
fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let mut file = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xdb\0\x43\0".to_vec();
    file.extend([1; 64]);
    file.extend(b"\xff\xc2\0\x0b\x08");
    file.extend(height.to_be_bytes());
    file.extend(width.to_be_bytes());
    file.extend(b"\x01\x01\x11\0\xff\xc4\0\x14\0\x01");
    file.extend([0; 15]);
    file.extend(b"\0\xff\xda\0\x08\x01\x01\0\0\0\0\x00");
    file
}
