//! Compound files, a file system of 1993 within a file, whose chains and trees run in circles.

use std::io::{Cursor, Write as _};

use cfb::CompoundFile;

type Made = fn() -> Vec<u8>;

/// Name and maker.
pub(super) const MSG: &[(&str, Made)] = &[
    ("sectors-in-a-circle", || circle(message(1 << 20))),
    ("small-sectors-in-a-circle", || small_circle(message(2_000))),
    ("siblings-in-a-circle", || tree(message(2_000), 68)),
    ("children-in-a-circle", || tree(message(2_000), 76)),
    ("streams-as-long-as-they-like", || lengths(message(2_000))),
    ("a-table-of-tables-in-a-circle", || {
        let mut file = message(2_000);
        // Where the allocation table goes on, and in how many sectors: in the first one, and on and on.
        file[68..72].copy_from_slice(&0u32.to_le_bytes());
        file[72..76].copy_from_slice(&u32::MAX.to_le_bytes());
        file
    }),
    ("sectors-of-two-gigabytes", || {
        let mut file = message(2_000);
        file[30..32].copy_from_slice(&31u16.to_le_bytes());
        file
    }),
    ("saved-messages-in-messages", || {
        let mut file = Compound::new();
        let mut at = String::new();
        for _ in 0..200 {
            file.put(&format!("{at}/__substg1.0_1000001F"), &wide("words"));
            at += "/__attach_version1.0_#00000000/__substg1.0_3701000D";
        }
        file.put("/__properties_version1.0", &[0; 32]);
        file.bytes()
    }),
    ("two-thousand-things-attached", || {
        let mut file = Compound::new();
        file.put("/__properties_version1.0", &[0; 32]);
        for number in 0..2_000 {
            file.put(&format!("/__attach_version1.0_#{number:08X}/__substg1.0_37010102"), b"words");
        }
        file.bytes()
    }),
    ("a-body-of-many-megabytes", || {
        let mut file = Compound::new();
        file.put("/__properties_version1.0", &[0; 32]);
        file.put("/__substg1.0_1000001F", &wide(&"words without end\n\n".repeat(1_000_000)));
        file.bytes()
    }),
    ("elements-in-a-saved-message", || {
        let mut file = Compound::new();
        file.put("/__properties_version1.0", &[0; 32]);
        file.put("/__substg1.0_10130102", "<div>".repeat(200_000).as_bytes());
        file.bytes()
    }),
];

/// Name and maker.
pub(super) const DOC: &[(&str, Made)] = &[
    ("a-document-of-noise", || of(&[("/WordDocument", &noise(1 << 20)), ("/1Table", &noise(1 << 18))])),
    ("a-document-that-points-everywhere", || {
        let mut head = vec![0xFF; 1 << 12];
        head[..4].copy_from_slice(&[0xEC, 0xA5, 0xC1, 0x00]);
        of(&[("/WordDocument", &head), ("/1Table", &[0xFF; 1 << 12]), ("/0Table", &[0xFF; 1 << 12])])
    }),
    ("a-document-in-a-circle", || {
        circle(of(&[("/WordDocument", &noise(1 << 20)), ("/1Table", &noise(1 << 18))]))
    }),
];

/// Name and maker.
pub(super) const XLS: &[(&str, Made)] = &[
    ("a-workbook-of-noise", || of(&[("/Workbook", &[&book()[..], &noise(1 << 20)].concat())])),
    ("a-workbook-of-empty-records", || of(&[("/Workbook", &[&book()[..], &[0; 1 << 20]].concat())])),
    ("a-workbook-as-wide-as-the-world", || {
        let mut rows = book();
        // Of which sheet, how large it is, and its last cell.
        rows.extend([0x09, 0x08, 16, 0, 0, 6, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        rows.extend([0x00, 0x02, 14, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF, 0, 0]);
        rows.extend([0x03, 0x02, 14, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F]);
        of(&[("/Workbook", &rows)])
    }),
    ("a-workbook-in-a-circle", || circle(of(&[("/Workbook", &[&book()[..], &noise(1 << 20)].concat())]))),
];

/// Name and maker.
pub(super) const PPT: &[(&str, Made)] = &[
    ("slides-of-noise", || of(&[("/PowerPoint Document", &noise(1 << 20)), ("/Current User", &noise(64))])),
    ("containers-in-containers", || {
        let mut deep = Vec::new();
        for _ in 0..200_000 {
            deep.extend([0x0F, 0, 0xE8, 0x03, 0xFF, 0xFF, 0xFF, 0x7F]);
        }
        of(&[("/PowerPoint Document", &deep), ("/Current User", &noise(64))])
    }),
];

struct Compound(CompoundFile<Cursor<Vec<u8>>>);

impl Compound {
    fn new() -> Self {
        Self(CompoundFile::create(Cursor::new(Vec::new())).unwrap_or_else(|error| panic!("{error}")))
    }

    fn put(&mut self, path: &str, bytes: &[u8]) {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let made = if folder.is_empty() { Ok(()) } else { self.0.create_storage_all(folder) };
        let written = made.and_then(|()| self.0.create_stream(path)?.write_all(bytes));
        assert!(written.is_ok(), "{path}: {written:?}");
    }

    fn bytes(self) -> Vec<u8> {
        self.0.into_inner().into_inner()
    }
}

fn of(streams: &[(&str, &[u8])]) -> Vec<u8> {
    let mut file = Compound::new();
    for (path, bytes) in streams {
        file.put(path, bytes);
    }
    file.bytes()
}

/// A message with a body of so many letters, which an honest reader reads.
fn message(letters: usize) -> Vec<u8> {
    let body = wide(&"words ".repeat(letters / 6));
    of(&[
        ("/__properties_version1.0", &[0; 32]),
        ("/__substg1.0_0037001F", &wide("It")),
        ("/__substg1.0_1000001F", &body),
    ])
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// The same each time.
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 88_172_645_463_325_252u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..bytes).map(|_| next()).collect()
}

/// How a workbook begins.
fn book() -> Vec<u8> {
    vec![0x09, 0x08, 16, 0, 0, 6, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
}

fn sector(file: &[u8]) -> usize {
    1 << u16::from_le_bytes([file[30], file[31]])
}

fn number(file: &[u8], at: usize) -> usize {
    file.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes) as usize
}

/// Every chain of sectors that ends goes on at its third sector.
fn circle(file: Vec<u8>) -> Vec<u8> {
    let table = (number(&file, 76) + 1) * sector(&file);
    ends_go_on(file, table)
}

/// The same in the table of small sectors.
fn small_circle(file: Vec<u8>) -> Vec<u8> {
    let table = (number(&file, 60) + 1) * sector(&file);
    ends_go_on(file, table)
}

fn ends_go_on(mut file: Vec<u8>, table: usize) -> Vec<u8> {
    let end = table + sector(&file);
    for at in (table..end.min(file.len())).step_by(4) {
        if number(&file, at) == 0xFFFF_FFFE {
            file[at..at + 4].copy_from_slice(&3u32.to_le_bytes());
        }
    }
    file
}

/// Each entry of the directory has itself at this place: as its left sibling, or its child.
fn tree(mut file: Vec<u8>, place: usize) -> Vec<u8> {
    let directory = (number(&file, 48) + 1) * sector(&file);
    for entry in 0..4 {
        let at = directory + entry * 128 + place;
        file[at..at + 4].copy_from_slice(&(entry as u32).to_le_bytes());
    }
    file
}

/// Each stream is as long as a number can say.
fn lengths(mut file: Vec<u8>) -> Vec<u8> {
    let directory = (number(&file, 48) + 1) * sector(&file);
    for entry in 1..4 {
        let at = directory + entry * 128 + 120;
        file[at..at + 8].copy_from_slice(&0x7FFF_FFFFu64.to_le_bytes());
    }
    file
}
