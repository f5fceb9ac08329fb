use super::*;
use std::io::{Cursor, Write as _};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

fn zip(files: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        zip.start_file(*name, SimpleFileOptions::default()).expect("a name");
        zip.write_all(content.as_bytes()).expect("memory");
    }
    zip.finish().expect("memory").into_inner()
}

fn texts(bytes: &[u8], media: &MediaType) -> Vec<Vec<String>> {
    let text = office(bytes, media).expect("readable");
    let page = |page: crate::document::Page| page.blocks.into_iter().map(|block| block.text).collect();
    text.pages.into_iter().map(page).collect()
}

const W: &str = "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"";

fn word(body: &str) -> Vec<Vec<String>> {
    let document = format!("<w:document {W}><w:body>{body}</w:body></w:document>");
    texts(&zip(&[("word/document.xml", &document)]), &MediaType::Docx)
}

fn paragraph(inner: &str) -> String {
    format!("<w:p>{inner}</w:p>")
}

fn run(text: &str) -> String {
    format!("<w:r><w:t xml:space=\"preserve\">{text}</w:t></w:r>")
}

#[test]
fn page_breaks_of_word_make_pages() {
    let body = paragraph(&(run("One") + "<w:r><w:br w:type=\"page\"/></w:r>" + &run("two")))
        + &paragraph(&format!("<w:pPr><w:pageBreakBefore/></w:pPr>{}", run("Three")))
        + &paragraph(&format!("<w:pPr><w:pageBreakBefore w:val=\"0\"/></w:pPr>{}", run("still three")))
        + &paragraph(
            &("<w:r><w:lastRenderedPageBreak/><w:t>Four</w:t></w:r>".to_owned() + &run(" and more")),
        );
    assert_eq!(word(&body), [vec!["One"], vec!["two"], vec!["Three", "still three"], vec!["Four and more"]]);
}

#[test]
fn a_break_that_was_also_shown_counts_once() {
    let body = paragraph(&(run("One") + "<w:r><w:br w:type=\"page\"/></w:r>"))
        + &paragraph("<w:r><w:lastRenderedPageBreak/><w:t>Two</w:t></w:r>");
    assert_eq!(word(&body), [["One"], ["Two"]]);
}

#[test]
fn tables_are_rows_of_cells() {
    let cell = |text: &str| format!("<w:tc>{}</w:tc>", paragraph(&run(text)));
    let row =
        |cells: &[&str]| format!("<w:tr>{}</w:tr>", cells.iter().map(|text| cell(text)).collect::<String>());
    let body = format!(
        "<w:tbl>{}{}{}</w:tbl>",
        row(&["Fee", "Sum"]),
        row(&["Support", "GBP 925.00"]),
        row(&["", ""])
    );
    assert_eq!(word(&(paragraph(&run("Fees")) + &body)), [["Fees", "Fee | Sum\nSupport | GBP 925.00"]]);
}

#[test]
fn slides_are_pages_empty_ones_too() {
    const NS: &str = "xmlns:p=\"http://schemas.openxmlformats.org/presentationml/2006/main\" \
        xmlns:a=\"http://schemas.openxmlformats.org/drawingml/2006/main\" \
        xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"";
    let slide = |text: &str| {
        let shape = format!(
            "<p:sp><p:nvSpPr><p:cNvPr id=\"2\" name=\"t\"/></p:nvSpPr><p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>"
        );
        format!(
            "<p:sld {NS}><p:cSld><p:spTree>{}</p:spTree></p:cSld></p:sld>",
            if text.is_empty() { "" } else { &shape }
        )
    };
    let ids = "<p:sldIdLst><p:sldId id=\"1\" r:id=\"a\"/><p:sldId id=\"2\" r:id=\"b\"/><p:sldId id=\"3\" r:id=\"c\"/></p:sldIdLst>";
    let relation = |id, number| {
        format!(
            "<Relationship Id=\"{id}\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/slide\" Target=\"slides/slide{number}.xml\"/>"
        )
    };
    let relations = format!(
        "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">{}{}{}</Relationships>",
        relation("a", 1),
        relation("b", 2),
        relation("c", 3)
    );
    let deck = zip(&[
        ("ppt/presentation.xml", &format!("<p:presentation {NS}>{ids}</p:presentation>")),
        ("ppt/_rels/presentation.xml.rels", &relations),
        ("ppt/slides/slide1.xml", &slide("First")),
        ("ppt/slides/slide2.xml", &slide("")),
        ("ppt/slides/slide3.xml", &slide("Third")),
    ]);
    assert_eq!(texts(&deck, &MediaType::Pptx), [vec!["First"], vec![], vec!["Third"]]);
}

#[test]
fn open_document_texts_break_by_style_and_as_shown() {
    let content = r#"<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
        xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0"
        xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0"><office:automatic-styles>
        <style:style style:name="P1" style:family="paragraph"><style:paragraph-properties fo:break-before="page"/></style:style>
        </office:automatic-styles><office:body><office:text><text:p>One</text:p><text:p text:style-name="P1">Two</text:p>
        <text:p>two <text:soft-page-break/>three</text:p></office:text></office:body></office:document-content>"#;
    let file = zip(&[("mimetype", "application/vnd.oasis.opendocument.text"), ("content.xml", content)]);
    assert_eq!(texts(&file, &MediaType::Odt), [vec!["One"], vec!["Two", "two"], vec!["three"]]);
}

#[test]
fn page_breaks_of_rtf_make_pages() {
    let rtf = b"{\\rtf1\\ansi\\ansicpg1252 One \\\\page is a word\\par\\page Gr\\'fc\\'dfe \\pagebb no\\par}";
    let found = texts(rtf, &MediaType::Rtf);
    assert_eq!(found, [vec!["One \\page is a word"], vec!["Grüße no"]]);
}

#[test]
fn what_is_no_document_says_so() {
    let of = |bytes: &[u8], media: &MediaType| office(bytes, media);
    assert!(matches!(of(b"PK\x03\x04", &MediaType::Docx), Err(ReadError::Broken(_))));
    assert!(matches!(of(&zip(&[("a.txt", "x")]), &MediaType::Docx), Err(ReadError::Broken(_))));
    assert!(matches!(of(b"{\\rtf1 }", &MediaType::Rtf), Err(ReadError::Empty)));
    assert!(matches!(of(b"%PDF", &MediaType::Pdf), Err(ReadError::Unsupported(_))));
}

#[test]
fn packages_unpack_within_limits() {
    let bomb = zip(&[("word/document.xml", &" ".repeat(40 << 20))]);
    assert!(bomb.len() < 100_000, "{}", bomb.len());
    assert!(matches!(office(&bomb, &MediaType::Docx), Err(ReadError::LimitExceeded(Limit::Unpacked))));
    // Pictures are not unpacked at all.
    let document = format!("<w:document {W}><w:body>{}</w:body></w:document>", paragraph(&run("words")));
    let pictures = zip(&[("word/document.xml", &document), ("word/media/a.png", &" ".repeat(40 << 20))]);
    assert_eq!(texts(&pictures, &MediaType::Docx), [["words"]]);
}
