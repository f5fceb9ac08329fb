//! Documents that are pictures: scans and photographs. They have no text, only pages to be recognised. All of this runs
//! in the child process and may die there.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::Cursor;

use image::imageops::{self, FilterType};
use image::{DynamicImage, GrayImage, ImageDecoder, ImageError, ImageReader, Limits};

use crate::document::{Limit, Page, ReadError, Text};
use crate::picture::{MAX_PIXELS, MAX_SIDE};

/// The engine's name and version.
const NAME: &str = "image 0.25.10";

/// Pixels that are decoded at most; the largest cameras of telephones give twice as many as the usual 50 million.
const MAX_DECODED: u64 = 110_000_000;

/// Bytes that a decoder may take for itself, besides the picture.
const MAX_ALLOC: u64 = 512 << 20;

/// The longer side of a page below which its letters are too small for the recogniser: A4 at 140 dpi.
const SMALL: u32 = 1600;

/// Pages of one file that are looked for.
const MAX_PAGES: usize = 100_000;

/// The pages of a picture, each still to be recognised.
///
/// # Errors
/// [`ReadError::Broken`], [`ReadError::LimitExceeded`].
pub fn pages(bytes: &[u8]) -> Result<Text, ReadError> {
    let sheets = sheets(bytes)?;
    // What is wrong with another page is found out when that is drawn, and costs no more than that page.
    if let Some(first) = sheets.first() {
        decoder(&first.of(bytes))?;
    }
    let page = |(number, _)| Page { number, image_coverage: 1.0, ..Page::default() };
    Ok(Text { pages: (1..).zip(&sheets).map(page).collect(), engine: NAME.to_owned(), ..Text::default() })
}

/// A page as a picture for the recogniser.
pub struct Drawn {
    /// As bright as it is, at a size that the recogniser likes.
    pub grey: GrayImage,
    /// Its own width and height, pixels.
    pub size: (u32, u32),
}

/// Decodes a page, counted from 1.
///
/// # Errors
/// As [`pages`].
pub fn draw(bytes: &[u8], number: u32) -> Result<Drawn, ReadError> {
    let sheets = sheets(bytes)?;
    let sheet = sheets.get(number.saturating_sub(1) as usize);
    let sheet = sheet.ok_or_else(|| ReadError::Broken("the page is not there".to_owned()))?.of(bytes);
    let mut decoder = decoder(&sheet)?;
    let orientation = decoder.orientation().map_err(broken)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(broken)?;
    picture.apply_orientation(orientation);
    let grey = on_white(picture);
    let size = grey.dimensions();
    let (width, height) = fitting(size);
    let grey = if (width, height) == size {
        grey
    } else {
        imageops::resize(&grey, width, height, FilterType::CatmullRom)
    };
    Ok(Drawn { grey, size })
}

fn decoder<'a>(bytes: &'a [u8]) -> Result<impl ImageDecoder + 'a, ReadError> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_ALLOC);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(broken)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_DECODED || decoder.total_bytes() > MAX_ALLOC {
        return Err(ReadError::LimitExceeded(Limit::Memory));
    }
    if width == 0 || height == 0 {
        return Err(ReadError::Broken("the picture has no size".to_owned()));
    }
    Ok(decoder)
}

fn broken(error: ImageError) -> ReadError {
    match error {
        ImageError::Limits(_) => ReadError::LimitExceeded(Limit::Memory),
        other => ReadError::Broken(other.to_string()),
    }
}

/// The same on white paper, if it can be seen through.
fn on_white(picture: DynamicImage) -> GrayImage {
    if !picture.color().has_alpha() {
        return picture.into_luma8();
    }
    let seen = picture.into_luma_alpha8();
    GrayImage::from_fn(seen.width(), seen.height(), |x, y| {
        let [bright, opaque] = seen.get_pixel(x, y).0.map(u32::from);
        let shown = (bright * opaque + 255 * (255 - opaque)) / 255;
        image::Luma([u8::try_from(shown).unwrap_or(u8::MAX)])
    })
}

/// The size at which a picture is recognised.
fn fitting((width, height): (u32, u32)) -> (u32, u32) {
    let (wide, high) = (width as f32, height as f32);
    let wanted = if width.max(height) < SMALL { 2.0 } else { 1.0_f32 };
    let scale = wanted.min(MAX_SIDE / wide.max(high)).min((MAX_PIXELS as f32 / (wide * high)).sqrt());
    let scaled = |side: f32| ((side * scale) as u32).max(1);
    (scaled(wide), scaled(high))
}

/// A page of a file.
enum Sheet {
    /// The first one.
    Whole,
    /// The directory of a TIFF at this byte.
    Directory(u32),
}

impl Sheet {
    /// A file of this page alone. Decoders show the first page: here another one becomes the first.
    fn of<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        match self {
            Self::Whole => Cow::Borrowed(bytes),
            Self::Directory(at) => {
                let mut copy = bytes.to_vec();
                let at = if bytes.starts_with(b"II") { at.to_le_bytes() } else { at.to_be_bytes() };
                copy[4..8].copy_from_slice(&at);
                Cow::Owned(copy)
            }
        }
    }
}

fn sheets(bytes: &[u8]) -> Result<Vec<Sheet>, ReadError> {
    match Tiff::new(bytes) {
        None => Ok(vec![Sheet::Whole]),
        Some(tiff) => {
            // The first page is what decoders show anyway.
            let first = tiff.long(4);
            let sheet = |at| if Some(at) == first { Sheet::Whole } else { Sheet::Directory(at) };
            let sheets: Vec<Sheet> = tiff.pages().into_iter().map(sheet).collect();
            if sheets.is_empty() {
                return Err(ReadError::Broken("no page of it could be found".to_owned()));
            }
            Ok(sheets)
        }
    }
}

/// The chain of directories in a TIFF, one a page (TIFF 6.0, section 2).
struct Tiff<'a> {
    bytes: &'a [u8],
    little: bool,
}

/// What a directory is for; bit 0 says: a smaller copy of another one.
const NEW_SUBFILE_TYPE: u16 = 254;
/// Bytes of an entry of a directory.
const ENTRY: usize = 12;

impl<'a> Tiff<'a> {
    fn new(bytes: &'a [u8]) -> Option<Self> {
        let little = bytes.starts_with(b"II*\0");
        (little || bytes.starts_with(b"MM\0*")).then_some(Self { bytes, little })
    }

    fn short(&self, at: usize) -> Option<u16> {
        let two = self.bytes.get(at..)?.first_chunk()?;
        Some(if self.little { u16::from_le_bytes(*two) } else { u16::from_be_bytes(*two) })
    }

    fn long(&self, at: usize) -> Option<u32> {
        let four = self.bytes.get(at..)?.first_chunk()?;
        Some(if self.little { u32::from_le_bytes(*four) } else { u32::from_be_bytes(*four) })
    }

    /// Where the directories of its pages stand. A chain that bites its tail, or breaks, ends there.
    fn pages(&self) -> Vec<u32> {
        let (mut pages, mut seen) = (Vec::new(), BTreeSet::new());
        let mut next = self.long(4);
        while let Some(at) = next.filter(|&at| at != 0 && seen.insert(at) && seen.len() <= MAX_PAGES) {
            let Some(entries) = self.short(at as usize) else { break };
            let first = at as usize + 2;
            let end = first + usize::from(entries) * ENTRY;
            let kind = (first..end).step_by(ENTRY).find(|&entry| self.short(entry) == Some(NEW_SUBFILE_TYPE));
            let smaller = kind.and_then(|entry| self.long(entry + 8)).is_some_and(|bits| bits & 1 == 1);
            if !smaller {
                pages.push(at);
            }
            next = self.long(end);
        }
        pages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_pictures_grow_and_large_ones_shrink() {
        assert_eq!(fitting((800, 1100)), (1600, 2200));
        assert_eq!(fitting((2480, 3508)), (2480, 3508));
        for (width, height) in [(9000, 12_000), (1, 30_000), (30_000, 1), (60_000, 1500)] {
            let (wide, high) = fitting((width, height));
            assert!(u64::from(wide) * u64::from(high) <= MAX_PIXELS && wide.max(high) as f32 <= MAX_SIDE);
            assert!(wide >= 1 && high >= 1);
        }
    }

    #[test]
    fn what_is_seen_through_is_paper() {
        let seen = image::RgbaImage::from_fn(3, 1, |x, _| {
            [image::Rgba([0, 0, 0, 0]), image::Rgba([0, 0, 0, 255]), image::Rgba([0, 0, 0, 128])][x as usize]
        });
        assert_eq!(on_white(seen.into()).into_raw(), [255, 0, 127]);
    }

    #[test]
    fn a_chain_of_directories_ends() {
        let mut file = b"II*\0\x08\0\0\0".to_vec();
        // One without entries that says it is followed by itself.
        file.extend([0, 0, 8, 0, 0, 0]);
        assert_eq!(Tiff::new(&file).unwrap().pages(), [8]);
        file[10] = 99;
        assert_eq!(Tiff::new(&file).unwrap().pages(), [8]);
        assert!(matches!(pages(b"II*\0\0\0\0\0"), Err(ReadError::Broken(_))));
        assert!(Tiff::new(b"\x89PNG").is_none());
    }
}
