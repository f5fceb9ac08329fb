//! Compound files: what Office and Outlook wrote before packages. A small file system, whose directory tells.

use std::io::{self, Read, Seek};

use crate::{MediaType, bytes_at, u16_at, u32_at};

pub(crate) const MAGIC: [u8; 8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
pub(crate) const NAME: &str = "application/x-ole-storage";

/// Directory sectors that are looked at. The names that tell stand in the root, which is written first.
const SECTORS: usize = 64;
/// An entry of the directory, bytes; its name is UTF-16 in the first 64.
const ENTRY: usize = 128;

/// The streams that make a document what it is.
const STREAMS: [(&str, MediaType); 7] = [
    // First: a document under a lock may have any other stream beside it.
    ("EncryptedPackage", MediaType::Locked),
    ("__properties_version1.0", MediaType::Msg),
    ("WordDocument", MediaType::Doc),
    ("PowerPoint Document", MediaType::Ppt),
    ("PP97_DUALSTORAGE", MediaType::Ppt),
    ("Workbook", MediaType::Xls),
    ("Book", MediaType::Xls),
];

pub(crate) fn kind(file: &mut (impl Read + Seek), header: &[u8]) -> io::Result<MediaType> {
    let names = names(file, header)?;
    let found = STREAMS.iter().find(|(stream, _)| names.iter().any(|name| name.eq_ignore_ascii_case(stream)));
    Ok(found.map_or_else(|| MediaType::Unsupported(NAME.to_owned()), |(_, media)| media.clone()))
}

fn names(file: &mut (impl Read + Seek), header: &[u8]) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    let (Some(shift), Some(first)) = (u16_at(header, 30), u32_at(header, 48)) else { return Ok(names) };
    if !matches!(shift, 9 | 12) {
        return Ok(names);
    }
    let size = 1usize << shift;
    let mut sector = first;
    // A chain that runs in a circle ends with the count.
    for _ in 0..SECTORS {
        let directory = bytes_at(file, place(sector, size), size)?;
        names.extend(directory.chunks_exact(ENTRY).filter_map(name));
        match next(file, header, sector, size)? {
            Some(next) if next < 0xFFFF_FFFA => sector = next,
            _ => break,
        }
    }
    Ok(names)
}

fn place(sector: u32, size: usize) -> u64 {
    (u64::from(sector) + 1) * size as u64
}

/// The sector that follows in a chain: the allocation table says so, and the header where that is.
fn next(file: &mut (impl Read + Seek), header: &[u8], sector: u32, size: usize) -> io::Result<Option<u32>> {
    let an_entry = size / 4;
    let (table, within) = (sector as usize / an_entry, sector as usize % an_entry);
    // The first 109 sectors of the table stand in the header, enough for 6.8 MiB even of the smaller sectors. A
    // directory behind that is not followed further.
    let Some(table) = (table < 109).then(|| u32_at(header, 76 + table * 4)).flatten() else {
        return Ok(None);
    };
    let entry = bytes_at(file, place(table, size) + within as u64 * 4, 4)?;
    Ok(u32_at(&entry, 0))
}

fn name(entry: &[u8]) -> Option<String> {
    let bytes = usize::from(u16_at(entry, 64)?).checked_sub(2).filter(|bytes| *bytes <= 62)?;
    let units: Vec<u16> = (0..bytes / 2).filter_map(|at| u16_at(entry, at * 2)).collect();
    Some(String::from_utf16_lossy(&units))
}
