//! ZIP archives and the office documents that are ones, against whoever unpacks them or makes a tree of what is inside.

use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

type Made = fn() -> Vec<u8>;

/// Name and maker.
pub(super) const ZIP: &[(&str, Made)] = &[
    ("an-archive-of-gigabytes", || {
        zip(&[("a.txt", &blank(64)), ("b.txt", &blank(64)), ("c.txt", &blank(64))])
    }),
    ("one-file-a-thousand-times", || overlapping(1_000)),
    ("an-archive-whose-sizes-lie", || lying(zip(&[("a.txt", &blank(64))]))),
    ("thirty-thousand-files", || {
        let names: Vec<String> = (0..30_000).map(|number| format!("{number}.txt")).collect();
        let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"x"[..])).collect();
        zip(&files)
    }),
    ("archives-in-archives", || {
        (0..40).fold(b"words at last".to_vec(), |inner, level| zip(&[(&format!("{level}.zip"), &inner)]))
    }),
    ("an-archive-of-bombs", || {
        let bomb = zip(&[("a.txt", &blank(64)), ("b.txt", &blank(16))]);
        let names: Vec<String> = (0..20).map(|number| format!("{number}.zip")).collect();
        zip(&names.iter().map(|name| (name.as_str(), &bomb[..])).collect::<Vec<_>>())
    }),
    ("an-archive-of-large-texts", || {
        let text = "Words that nobody has asked for. ".repeat(1 << 20).into_bytes();
        zip_as(&[("a.txt", &text), ("b.md", &text), ("c.csv", &text)], zip::CompressionMethod::Stored)
    }),
    ("names-that-climb", || {
        zip(&[("../../../../tmp/a.txt", b"words"), ("/etc/passwd", b"words"), ("C:\\a.txt", b"words")])
    }),
    ("names-of-kilobytes", || {
        let names: Vec<String> =
            (0..90).map(|number| format!("{number}{}a.txt", "x/".repeat(30_000))).collect();
        zip(&names.iter().map(|name| (name.as_str(), &b"words"[..])).collect::<Vec<_>>())
    }),
    ("an-archive-without-contents", || b"PK\x03\x04".repeat(500_000)),
    ("an-archive-that-is-elsewhere", || {
        let mut whole = zip(&[("a.txt", b"words")]);
        let end = whole.len() - 22;
        whole[end + 8..end + 20].fill(0xFE);
        whole
    }),
];

/// Name and maker.
pub(super) const DOCX: &[(&str, Made)] = &[
    ("a-document-of-gigabytes", || packed("word/document.xml", &blank(64))),
    ("a-document-whose-sizes-lie", || lying(packed("word/document.xml", &blank(64)))),
    ("tables-in-tables", || {
        word(&("<w:tbl><w:tr><w:tc>".repeat(50_000) + "<w:p><w:r><w:t>x</w:t></w:r></w:p>"))
    }),
    ("entities-that-multiply", || {
        let mut lol = String::from("<!DOCTYPE l [<!ENTITY a0 \"lol\">");
        for level in 1..12 {
            lol += &format!("<!ENTITY a{level} \"{}\">", format!("&a{};", level - 1).repeat(10));
        }
        let body = "<w:p><w:r><w:t>before &a11; after</w:t></w:r></w:p>";
        let document = format!("<?xml version=\"1.0\"?>{lol}]>{}", document(body));
        packed("word/document.xml", document.as_bytes())
    }),
    ("a-million-paragraphs", || word(&"<w:p><w:r><w:t>x</w:t></w:r></w:p>".repeat(400_000))),
    ("a-million-attributes-of-a-run", || {
        let attributes: String = (0..400_000).map(|number| format!(" w:a{number}=\"\"")).collect();
        word(&format!("<w:p><w:r{attributes}><w:t>x</w:t></w:r></w:p>"))
    }),
    ("cells-as-wide-as-the-world", || {
        let cell = "<w:tc><w:tcPr><w:gridSpan w:val=\"2147483647\"/><w:vMerge/></w:tcPr><w:p><w:r><w:t>x</w:t></w:r></w:p></w:tc>";
        word(&format!("<w:tbl>{}</w:tbl>", format!("<w:tr>{}</w:tr>", cell.repeat(50)).repeat(50)))
    }),
    ("styles-based-on-one-another", || {
        let styles: String = (0..20_000)
            .map(|number| {
                format!(
                    "<w:style w:type=\"paragraph\" w:styleId=\"s{number}\"><w:basedOn w:val=\"s{}\"/></w:style>",
                    (number + 1) % 20_000
                )
            })
            .collect();
        let body = "<w:p><w:pPr><w:pStyle w:val=\"s0\"/></w:pPr><w:r><w:t>x</w:t></w:r></w:p>".repeat(2_000);
        package(&[
            ("word/document.xml", document(&body).as_bytes()),
            ("word/styles.xml", format!("<w:styles {W}>{styles}</w:styles>").as_bytes()),
        ])
    }),
];

/// Name and maker.
pub(super) const XLSX: &[(&str, Made)] = &[
    ("two-cells-a-world-apart", || {
        let row = |number: u32, cell: &str| {
            format!("<row r=\"{number}\"><c r=\"{cell}\" t=\"inlineStr\"><is><t>x</t></is></c></row>")
        };
        sheet(&[row(1, "A1"), row(1_048_576, "XFD1048576")].concat(), "")
    }),
    ("cells-behind-the-end-of-all-columns", || {
        sheet("<row r=\"4294967295\"><c r=\"ZZZZZZZ4294967295\"><v>1</v></c></row>", "")
    }),
    ("a-million-cells-merged", || {
        let merged = "<mergeCell ref=\"A1:XFD1048576\"/>".repeat(200_000);
        sheet("<row r=\"1\"><c r=\"A1\"><v>1</v></c></row>", &format!("<mergeCells>{merged}</mergeCells>"))
    }),
    ("strings-that-are-not-there", || {
        sheet(&"<row><c t=\"s\"><v>4294967295</v></c></row>".repeat(100_000), "")
    }),
    ("a-string-in-a-million-cells", || {
        let long = "words ".repeat(5_000);
        let rows = "<row><c t=\"s\"><v>0</v></c></row>".repeat(100_000);
        let strings = format!(
            "<sst xmlns=\"{S}\" count=\"4294967295\" uniqueCount=\"4294967295\"><si><t>{long}</t></si></sst>"
        );
        workbook(&rows, "", Some(&strings))
    }),
];

/// Name and maker.
pub(super) const PPTX: &[(&str, Made)] = &[
    ("shapes-in-shapes", || slides(&"<p:grpSp>".repeat(100_000), 1)),
    ("one-slide-a-hundred-thousand-times", || {
        slides("<p:sp><p:txBody><a:p><a:r><a:t>words</a:t></a:r></a:p></p:txBody></p:sp>", 100_000)
    }),
];

/// Name and maker.
pub(super) const ODT: &[(&str, Made)] = &[
    ("spaces-to-the-moon", || odt(&"<text:p>x<text:s text:c=\"2147483647\"/>x</text:p>".repeat(10))),
    ("spans-in-spans", || odt(&["<text:p>", &"<text:span>".repeat(300_000), "x"].concat())),
    ("lists-in-lists", || {
        odt(&["<text:list><text:list-item>".repeat(100_000).as_str(), "<text:p>x</text:p>"].concat())
    }),
    ("rows-without-end", || {
        let cell = "<table:table-cell table:number-columns-repeated=\"2000000000\"><text:p>x</text:p></table:table-cell>";
        odt(&format!(
            "<table:table><table:table-row table:number-rows-repeated=\"2000000000\">{cell}</table:table-row></table:table>"
        ))
    }),
];

/// Name and maker.
pub(super) const ODS: &[(&str, Made)] = &[("a-billion-cells", || {
    let cell = "<table:table-cell table:number-columns-repeated=\"16000\" office:value-type=\"string\"><text:p>words</text:p></table:table-cell>";
    let table = format!(
        "<table:table table:name=\"a\"><table:table-row table:number-rows-repeated=\"1000000\">{cell}</table:table-row></table:table>"
    );
    open(
        "application/vnd.oasis.opendocument.spreadsheet",
        &format!("<office:spreadsheet>{table}</office:spreadsheet>"),
    )
})];

const W: &str = "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"";
const S: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

fn blank(mebibytes: usize) -> Vec<u8> {
    vec![b' '; mebibytes << 20]
}

/// An archive of these files.
///
/// # Panics
/// If there are too many for one.
#[must_use]
pub fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    zip_as(files, zip::CompressionMethod::Deflated)
}

fn zip_as(files: &[(&str, &[u8])], method: zip::CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    // Whatever is written into memory can be written.
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, content) in files {
        let written = zip.start_file(*name, options).map(|()| zip.write_all(content));
        assert!(matches!(written, Ok(Ok(()))), "{name}: {written:?}");
    }
    zip.finish().map(Cursor::into_inner).unwrap_or_else(|error| panic!("{error}"))
}

/// Says of its first file that it is one byte long.
fn lying(mut archive: Vec<u8>) -> Vec<u8> {
    for (mark, size) in [(&b"PK\x01\x02"[..], 24), (&b"PK\x03\x04"[..], 22)] {
        if let Some(at) = archive.windows(4).position(|bytes| bytes == mark) {
            archive[at + size..at + size + 4].copy_from_slice(&1u32.to_le_bytes());
        }
    }
    archive
}

/// A table of contents whose many entries are one and the same file.
fn overlapping(times: u16) -> Vec<u8> {
    let one = zip(&[("00000", &blank(16))]);
    let contents = one.windows(4).rposition(|bytes| bytes == b"PK\x01\x02").unwrap_or(0);
    let (file, rest) = one.split_at(contents);
    let (entry, end) = rest.split_at(rest.len() - 22);
    let mut all = file.to_vec();
    for number in 0..times {
        let mut entry = entry.to_vec();
        entry[46..51].copy_from_slice(format!("{number:05}").as_bytes());
        all.extend(entry);
    }
    let mut end = end.to_vec();
    let length = u32::from(times) * entry.len() as u32;
    end[8..10].copy_from_slice(&times.to_le_bytes());
    end[10..12].copy_from_slice(&times.to_le_bytes());
    end[12..16].copy_from_slice(&length.to_le_bytes());
    all.extend(end);
    all
}

fn package(parts: &[(&str, &[u8])]) -> Vec<u8> {
    zip(&[&[("[Content_Types].xml", &b"<Types/>"[..])], parts].concat())
}

fn packed(part: &str, content: &[u8]) -> Vec<u8> {
    // The part that attacks comes first.
    zip(&[(part, content), ("[Content_Types].xml", b"<Types/>")])
}

fn document(body: &str) -> String {
    format!("<w:document {W}><w:body>{body}</w:body></w:document>")
}

fn word(body: &str) -> Vec<u8> {
    packed("word/document.xml", document(body).as_bytes())
}

fn sheet(rows: &str, behind: &str) -> Vec<u8> {
    workbook(rows, behind, None)
}

fn workbook(rows: &str, behind: &str, strings: Option<&str>) -> Vec<u8> {
    let book = format!(
        "<workbook xmlns=\"{S}\" xmlns:r=\"{RELATIONS}\"><sheets><sheet name=\"a\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
    );
    let relations = relations(&[
        ("r1", "worksheet", "worksheets/sheet1.xml"),
        ("r2", "sharedStrings", "sharedStrings.xml"),
    ]);
    let rows = format!("<worksheet xmlns=\"{S}\"><sheetData>{rows}</sheetData>{behind}</worksheet>");
    let mut parts = vec![
        ("xl/workbook.xml", book.as_bytes()),
        ("xl/_rels/workbook.xml.rels", relations.as_bytes()),
        ("xl/worksheets/sheet1.xml", rows.as_bytes()),
    ];
    parts.extend(strings.map(|strings| ("xl/sharedStrings.xml", strings.as_bytes())));
    package(&parts)
}

fn relations(all: &[(&str, &str, &str)]) -> String {
    let one = |(id, kind, target): &(&str, &str, &str)| {
        format!("<Relationship Id=\"{id}\" Type=\"{RELATIONS}/{kind}\" Target=\"{target}\"/>")
    };
    let all: String = all.iter().map(one).collect();
    format!(
        "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">{all}</Relationships>"
    )
}

fn slides(shapes: &str, times: usize) -> Vec<u8> {
    const P: &str = "xmlns:p=\"http://schemas.openxmlformats.org/presentationml/2006/main\" xmlns:a=\"http://schemas.openxmlformats.org/drawingml/2006/main\"";
    let ids = "<p:sldId id=\"256\" r:id=\"r1\"/>".repeat(times);
    let show = format!(
        "<p:presentation {P} xmlns:r=\"{RELATIONS}\"><p:sldIdLst>{ids}</p:sldIdLst></p:presentation>"
    );
    let slide = format!("<p:sld {P}><p:cSld><p:spTree>{shapes}</p:spTree></p:cSld></p:sld>");
    package(&[
        ("ppt/presentation.xml", show.as_bytes()),
        ("ppt/_rels/presentation.xml.rels", relations(&[("r1", "slide", "slides/slide1.xml")]).as_bytes()),
        ("ppt/slides/slide1.xml", slide.as_bytes()),
    ])
}

fn odt(body: &str) -> Vec<u8> {
    open("application/vnd.oasis.opendocument.text", &format!("<office:text>{body}</office:text>"))
}

fn open(media: &str, body: &str) -> Vec<u8> {
    const NAMES: &str = "urn:oasis:names:tc:opendocument:xmlns";
    let spaces: String = ["office", "text", "table"]
        .iter()
        .map(|space| format!(" xmlns:{space}=\"{NAMES}:{space}:1.0\""))
        .collect();
    let content = format!(
        "<office:document-content{spaces}><office:body>{body}</office:body></office:document-content>"
    );
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, content, options) in
        [("mimetype", media, stored), ("content.xml", content.as_str(), SimpleFileOptions::default())]
    {
        let written = zip.start_file(name, options).map(|()| zip.write_all(content.as_bytes()));
        assert!(matches!(written, Ok(Ok(()))), "{name}: {written:?}");
    }
    zip.finish().map(Cursor::into_inner).unwrap_or_else(|error| panic!("{error}"))
}
