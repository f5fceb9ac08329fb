//! PDFs that are pictures, and so are drawn and recognised.

use super::pdf::{pages, stream, zipped};

type Made = fn() -> Vec<u8>;

/// Name and maker.
pub(super) const ATTACKS: &[(&str, Made)] = &[
    ("a-picture-of-ten-billion-pixels", || {
        picture(&zipped(&image(100_000, 100_000, 8, "/DeviceRGB"), &[0; 1 << 16], 64), 1)
    }),
    ("a-picture-of-no-pixels", || picture(&zipped(&image(0, 0, 8, "/DeviceGray"), b"", 1), 1)),
    ("a-picture-of-negative-size", || {
        picture(
            &stream(
                "/Type/XObject/Subtype/Image/Width -5/Height -5/BitsPerComponent 8/ColorSpace/DeviceGray",
                b"x",
            ),
            1,
        )
    }),
    ("a-gigabyte-of-picture", || {
        picture(&zipped(&image(32_768, 32_768, 8, "/DeviceGray"), &[127; 1 << 20], 1024), 1)
    }),
    ("a-picture-thirty-thousand-times", || {
        picture(&zipped(&image(2000, 2000, 8, "/DeviceGray"), &[200; 2000], 2000), 30_000)
    }),
    ("a-picture-masked-by-itself", || {
        picture(
            &zipped(&format!("{}/SMask 6 0 R/Mask 6 0 R", image(64, 64, 8, "/DeviceGray")), &[9; 64], 64),
            1,
        )
    }),
    ("a-palette-of-palettes", || {
        let palette =
            "[/Indexed [/Indexed [/Indexed [/Indexed /DeviceRGB 255 (x)] 255 (x)] 255 (x)] 255 (x)]";
        picture(&zipped(&image(64, 64, 8, palette), &[9; 64], 64), 1)
    }),
    ("noise-as-jpeg", || {
        picture(&noise("/DCTDecode", b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xc0\0\x11\x08\xff\xff\xff\xff\x03"), 1)
    }),
    ("noise-as-jpeg-2000", || {
        picture(
            &noise("/JPXDecode", b"\0\0\0\x0cjP  \r\n\x87\n\xff\x4f\xff\x51\0\x2f\0\0\xff\xff\xff\xff"),
            1,
        )
    }),
    ("noise-as-jbig2", || {
        picture(&noise("/JBIG2Decode", &[0, 0, 0, 0, 48, 0, 1, 0, 0, 0, 19, 255, 255, 255, 255]), 1)
    }),
    ("noise-as-fax", || {
        picture(&noise("/CCITTFaxDecode/DecodeParms<</K -1/Columns 60000/Rows 2147483647>>", b""), 1)
    }),
    ("a-page-as-large-as-a-country", || page_of("[0 0 1e9 1e9]", 1)),
    ("a-page-as-thin-as-a-hair", || page_of("[0 0 0.0001 14400]", 1)),
    ("a-page-without-numbers", || page_of("[0 0 nan inf]", 1)),
];

fn image(width: u32, height: u32, bits: u32, space: &str) -> String {
    format!(
        "/Type/XObject/Subtype/Image/Width {width}/Height {height}/BitsPerComponent {bits}/ColorSpace{space}"
    )
}

/// A page that is covered by object 6, so many times over.
fn picture(object: &[u8], times: usize) -> Vec<u8> {
    let paint = b"q 600 0 0 800 0 0 cm /I Do Q\n".repeat(times);
    pages(&[stream("", &paint)], "/XObject<</I 6 0 R>>", &[object.to_vec()])
}

/// The picture of a page of another size than any other.
fn page_of(size: &str, times: usize) -> Vec<u8> {
    let file = picture(&zipped(&image(64, 64, 8, "/DeviceGray"), &[9; 64], 64), times);
    let at = b"[0 0 600 800]";
    let found = file.windows(at.len()).position(|window| window == at).unwrap_or_default();
    [&file[..found], size.as_bytes(), &file[found + at.len()..]].concat()
}

fn noise(filter: &str, head: &[u8]) -> Vec<u8> {
    let mut data = head.to_vec();
    data.extend((0..100_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 11) as u8));
    stream(&format!("/Filter{filter}{}", image(60_000, 60_000, 8, "/DeviceRGB")), &data)
}
