//! PDFs against the parser, the interpreter and the memory.

use std::fmt::Write as _;
use std::io::Write as _;

type Made = fn() -> Vec<u8>;

/// Name and maker.
pub(super) const ATTACKS: &[(&str, Made)] = &[
    ("deep-arrays", || with_object("[".repeat(2_000_000) + &"]".repeat(2_000_000))),
    ("deep-dictionaries", || with_object("<</A ".repeat(500_000) + "1" + &">>".repeat(500_000))),
    ("deep-graphics-states", || pages(&[zipped("", b"q ", 3_000_000)], "", &[])),
    ("deep-page-tree", deep_page_tree),
    ("page-tree-loop", || {
        pdf(&[catalogue(), b"<</Type/Pages/Count 9/Kids[2 0 R 3 0 R]>>".to_vec(), {
            b"<</Type/Pages/Count 9/Parent 2 0 R/Kids[2 0 R]>>".to_vec()
        }])
    }),
    ("one-page-a-million-times", || {
        let kids = "3 0 R ".repeat(1_000_000);
        pdf(&[
            catalogue(),
            format!("<</Type/Pages/Count 1000000/Kids[{kids}]>>").into_bytes(),
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]>>".to_vec(),
        ])
    }),
    ("two-billion-pages", || {
        pdf(&[catalogue(), b"<</Type/Pages/Count 2000000000/Kids[3 0 R]>>".to_vec(), {
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]>>".to_vec()
        }])
    }),
    ("a-million-objects", || {
        let objects: Vec<Vec<u8>> = (0..1_000_000).map(|_| b"1".to_vec()).collect();
        pages(&[says("one two three four five")], "", &objects)
    }),
    ("spaces-for-a-gigabyte", || pages(&[zipped("", &[b' '; 1 << 20], 1024)], "", &[])),
    ("text-for-a-gigabyte", || {
        pages(&[zipped("", &b"BT /F 9 Tf 9 9 Td (word word word) Tj ET\n".repeat(25_000), 1024)], "", &[])
    }),
    ("zipped-twice", zipped_twice),
    ("a-thousand-filters", || {
        let filters = "/FlateDecode".repeat(1000);
        pages(&[stream(&format!("/Filter[{filters}]"), b"x")], "", &[])
    }),
    ("hexadecimal-filters", || {
        let filters = "/ASCIIHexDecode".repeat(100_000);
        pages(&[stream(&format!("/Filter[{filters}]"), &b"20".repeat(1000))], "", &[])
    }),
    ("predictor-of-two-billion-columns", || {
        let filter = "/DecodeParms<</Predictor 15/Columns 2147483647/Colors 32/BitsPerComponent 16>>";
        pages(&[zipped(filter, b"q Q ", 1000)], "", &[])
    }),
    ("predictor-of-no-columns", || {
        pages(
            &[zipped("/DecodeParms<</Predictor 12/Columns 0/Colors 0/BitsPerComponent 0>>", b"q Q ", 9)],
            "",
            &[],
        )
    }),
    ("length-of-itself", || pages(&[b"<</Length 5 0 R>>\nstream\nq Q\nendstream".to_vec()], "", &[])),
    ("length-beyond-the-end", || {
        pages(&[b"<</Length 9223372036854775807>>\nstream\nq Q\nendstream".to_vec()], "", &[])
    }),
    ("tables-in-a-circle", || {
        let file = String::from_utf8(pages(&[says("one two three")], "", &[])).expect("this one is text");
        let start: usize = file.rfind("xref\n0").expect("a table");
        file.replace("trailer\n<<", &format!("trailer\n<</Prev {start}")).into_bytes()
    }),
    ("a-table-of-a-billion-rows", || {
        let file = String::from_utf8(pages(&[says("one two three")], "", &[])).expect("this one is text");
        let rows = file.rfind("xref\n0 ").expect("a table");
        let (before, after) = file.split_at(rows + 7);
        let rest = after.split_once('\n').expect("a row").1;
        format!("{before}1000000000\n{rest}").into_bytes()
    }),
    ("a-table-as-a-stream-that-lies", table_stream),
    ("object-streams-in-a-circle", || {
        let inside = stream("/Type/ObjStm/N 2000000000/First 10/Extends 6 0 R", b"6 0 7 0 8 0 ");
        pages(&[says("one two three")], "", &[inside])
    }),
    ("forms-that-laugh", forms_that_laugh),
    ("a-form-that-paints-itself", || {
        let form = "/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 6 0 R>>>>";
        pages(&[stream("", b"/X Do")], "/XObject<</X 6 0 R>>", &[stream(form, b"/X Do /X Do")])
    }),
    ("a-pattern-that-paints-itself", || {
        let pattern = "/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 1 1]/XStep 0.001/YStep 0.001\
                       /Resources<</Pattern<</P 6 0 R>>>>";
        let paint = b"/Pattern cs /P scn 0 0 600 800 re f";
        pages(&[stream("", paint)], "/Pattern<</P 6 0 R>>", &[stream(pattern, paint)])
    }),
    ("a-glyph-that-shows-itself", || {
        let font = "<</Type/Font/Subtype/Type3/FontBBox[0 0 9 9]/FontMatrix[1 0 0 1 0 0]/FirstChar 97/LastChar 97\
                    /Widths[9]/Encoding<</Differences[97/a]>>/CharProcs<</a 7 0 R>>/Resources<</Font<</T 6 0 R>>>>>>";
        let glyph = stream("", b"9 0 d0 BT /T 1 Tf (aaaaaaaa) Tj ET");
        let show = stream("", b"BT /T 1 Tf 9 9 Td (aaaaaaaa) Tj ET");
        // The page's own font dictionary is replaced by one that names it.
        let page = pages(&[show], "/Font<</T 6 0 R>>", &[font.as_bytes().to_vec(), glyph]);
        String::from_utf8_lossy(&page).replacen("/Font<</F 3 0 R>>/Font", "/Font", 1).into_bytes()
    }),
    ("characters-for-four-billion-codes", || {
        with_character_map(
            "1 begincodespacerange <00000000> <ffffffff> endcodespacerange\n\
             1 beginbfrange <00000000> <ffffffff> <0041> endbfrange\n1 begincidrange <00000000> <ffffffff> 0 endcidrange",
        )
    }),
    ("a-million-character-ranges", || {
        let mut map = String::new();
        for code in 0..1_000_000 {
            writeln!(map, "1 beginbfrange <{:04x}> <{:04x}> <0041> endbfrange", code % 65_536, code % 65_536)
                .expect("a string takes everything");
        }
        with_character_map(&map)
    }),
    ("a-font-of-noise", || {
        let noise: Vec<u8> = (0..200_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let mut file = b"OTTO\0\xff\xff\xff\0\0\0\0".to_vec();
        file.extend(noise);
        let font = "<</Type/Font/Subtype/TrueType/BaseFont/N/FirstChar 0/LastChar 255/FontDescriptor 7 0 R>>";
        let descriptor =
            "<</Type/FontDescriptor/FontName/N/Flags 4/FontBBox[0 0 9 9]/FontFile2 8 0 R/FontFile3 8 0 R>>";
        let more =
            [font.as_bytes().to_vec(), descriptor.as_bytes().to_vec(), stream("/Subtype/OpenType", &file)];
        named_font(&more)
    }),
    ("a-function-that-calculates-for-ever", || {
        let body = format!("{{ {} }}", "dup mul ".repeat(500_000));
        let function = stream("/FunctionType 4/Domain[0 1]/Range[0 1 0 1 0 1]", body.as_bytes());
        let shading = "/Shading<</S<</ShadingType 1/ColorSpace/DeviceRGB/Function 6 0 R/Domain[0 1 0 1]>>>>";
        pages(&[stream("", &b"/S sh ".repeat(100))], shading, &[function])
    }),
    ("an-outline-in-a-circle", || {
        let mut objects = vec![
            b"<</Type/Catalog/Pages 2 0 R/Outlines 4 0 R/Names<</Dests<</Kids[5 0 R]>>>>>>".to_vec(),
            b"<</Type/Pages/Count 1/Kids[3 0 R]>>".to_vec(),
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]>>".to_vec(),
        ];
        objects.push(b"<</First 5 0 R/Last 5 0 R/Count 2000000000>>".to_vec());
        objects.push(b"<</Title(x)/Next 5 0 R/First 5 0 R/Parent 5 0 R/Prev 5 0 R/Kids[5 0 R]>>".to_vec());
        pdf(&objects)
    }),
    ("numbers-that-overflow", || {
        let huge = "99999999999999999999999999999999999999";
        pages(
            &[stream(
                "",
                format!(
                    "-{huge} {huge} 1e{huge} 0.{huge} {huge} {huge} cm /F {huge} Tf BT {huge} Tz (x) Tj ET"
                )
                .as_bytes(),
            )],
            "",
            &[],
        )
    }),
];

/// A PDF of these objects, numbered from 1; the first is the catalogue.
#[must_use]
pub fn pdf(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut file = b"%PDF-1.7\n".to_vec();
    let mut table = String::new();
    for (number, object) in (1..).zip(objects) {
        writeln!(table, "{:010} 00000 n ", file.len()).expect("a string takes everything");
        file.extend(format!("{number} 0 obj\n").bytes());
        file.extend(object);
        file.extend(b"\nendobj\n");
    }
    let (start, size) = (file.len(), objects.len() + 1);
    file.extend(format!("xref\n0 {size}\n0000000000 65535 f \n{table}").bytes());
    file.extend(format!("trailer\n<</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n").bytes());
    file
}

/// A stream object.
#[must_use]
pub fn stream(dictionary: &str, data: &[u8]) -> Vec<u8> {
    let mut object = format!("<<{dictionary}/Length {}>>\nstream\n", data.len()).into_bytes();
    object.extend(data);
    object.extend(b"\nendstream");
    object
}

/// A compressed stream object of `piece`, so many times.
#[must_use]
pub fn zipped(dictionary: &str, piece: &[u8], times: usize) -> Vec<u8> {
    stream(&format!("/Filter/FlateDecode{dictionary}"), &deflated(piece, times))
}

pub(super) fn deflated(piece: &[u8], times: usize) -> Vec<u8> {
    let mut out = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    for _ in 0..times {
        out.write_all(piece).expect("a vector takes everything");
    }
    out.finish().expect("a vector takes everything")
}

/// A PDF with a page for each content stream; further objects follow the pages: with one page, from number 6.
#[must_use]
pub fn pages(contents: &[Vec<u8>], resources: &str, more: &[Vec<u8>]) -> Vec<u8> {
    let first = 4;
    let kids: String = (0..contents.len()).map(|i| format!("{} 0 R ", first + 2 * i)).collect();
    let mut objects = vec![
        catalogue(),
        format!("<</Type/Pages/Count {}/Kids[{kids}]>>", contents.len()).into_bytes(),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_vec(),
    ];
    for (index, content) in contents.iter().enumerate() {
        let page = format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents {} 0 R/Resources<</Font<</F 3 0 R>>{resources}>>>>",
            first + 2 * index + 1
        );
        objects.extend([page.into_bytes(), content.clone()]);
    }
    objects.extend_from_slice(more);
    pdf(&objects)
}

/// A content stream that shows a line of text.
#[must_use]
pub fn says(text: &str) -> Vec<u8> {
    stream("", format!("BT /F 12 Tf 50 700 Td ({text}) Tj ET").as_bytes())
}

fn catalogue() -> Vec<u8> {
    b"<</Type/Catalog/Pages 2 0 R>>".to_vec()
}

fn with_object(object: String) -> Vec<u8> {
    pages(&[says("still five words to read")], "/Properties 6 0 R", &[object.into_bytes()])
}

/// A page whose only font is object 6.
fn named_font(more: &[Vec<u8>]) -> Vec<u8> {
    let show = stream("", b"BT /T 12 Tf 50 700 Td (some words of five) Tj ET");
    let page = pages(&[show], "/Font<</T 6 0 R>>", more);
    let at = b"/Font<</F 3 0 R>>/Font";
    let found = page.windows(at.len()).position(|window| window == at).expect("a font dictionary");
    [&page[..found], b"/Properties<</F 3 0 R>>/Font", &page[found + at.len()..]].concat()
}

fn with_character_map(map: &str) -> Vec<u8> {
    let font =
        "<</Type/Font/Subtype/Type0/BaseFont/H/Encoding/Identity-H/ToUnicode 7 0 R/DescendantFonts[8 0 R]>>";
    let inner = "<</Type/Font/Subtype/CIDFontType2/BaseFont/H/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)\
                 /Supplement 0>>/DW 1000>>";
    let map = format!("/CIDInit /ProcSet findresource begin begincmap\n{map}\nendcmap end");
    named_font(&[font.as_bytes().to_vec(), stream("", map.as_bytes()), inner.as_bytes().to_vec()])
}

fn deep_page_tree() -> Vec<u8> {
    const DEEP: usize = 100_000;
    let mut objects = vec![catalogue()];
    for number in 2..DEEP {
        objects.push(format!("<</Type/Pages/Count 1/Kids[{} 0 R]>>", number + 1).into_bytes());
    }
    objects.push(b"<</Type/Page/MediaBox[0 0 600 800]>>".to_vec());
    pdf(&objects)
}

fn zipped_twice() -> Vec<u8> {
    let once = deflated(&[b' '; 1 << 20], 4096);
    let twice = deflated(&once, 1);
    pages(&[stream("/Filter[/FlateDecode/FlateDecode]", &twice)], "", &[])
}

/// A cross-reference stream with rows of 24 bytes, of which it claims two billion.
fn table_stream() -> Vec<u8> {
    let mut file = b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n".to_vec();
    let start = file.len();
    file.extend(b"2 0 obj\n");
    file.extend(stream(
        "/Type/XRef/Size 2147483647/Index[0 2147483647]/W[8 8 8]/Root 1 0 R/Prev 9",
        &[0xff; 24 * 64],
    ));
    file.extend(format!("\nendobj\nstartxref\n{start}\n%%EOF\n").bytes());
    file
}

/// Each form paints the next one twenty times: a billion billion of the last.
fn forms_that_laugh() -> Vec<u8> {
    let forms: Vec<Vec<u8>> = (0..14)
        .map(|level| {
            let resources = format!("/Resources<</Font<</F 3 0 R>>/XObject<</X {} 0 R>>>>", 7 + level);
            let paint = if level == 13 { "BT /F 9 Tf (x) Tj ET".to_owned() } else { "/X Do ".repeat(20) };
            stream(&format!("/Type/XObject/Subtype/Form/BBox[0 0 600 800]{resources}"), paint.as_bytes())
        })
        .collect();
    pages(&[stream("", b"/X Do")], "/XObject<</X 6 0 R>>", &forms)
}
