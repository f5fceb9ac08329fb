//! What counts as found in the text, and what does not.

use super::*;
use millrace_contract::wire::{Block, DocumentText, Page};
use std::time::Instant;

const LIABILITY: &str = "9.1 The Supplier shall not be liable for loss of profit. The liability of the Supplier under \
    this Agreement shall not exceed GBP 450,000.00 in any period of twelve months. Nothing limits liability for fraud.";
const RENT: &str = "El Arrendatario deberá abonar una renta mensual de 4.350,00 euros dentro de los cinco primeros días \
    de cada mes. El Arrendatario no podrá ceder el contrato sin el consentimiento previo y por escrito del Arrendador.";

fn index() -> Index {
    let block = |number, text: &str| Block { number, text: text.to_owned(), ..Block::default() };
    let page = |number, blocks| Page { number, blocks, ..Page::default() };
    Index::new(&DocumentText {
        pages: vec![
            page(
                1,
                vec![
                    block(1, "Services Agreement"),
                    block(2, "The fee is EUR 100 a month."),
                    block(3, LIABILITY),
                ],
            ),
            page(
                2,
                vec![
                    block(1, RENT),
                    block(2, "The notice shall be given in"),
                    block(3, "writing and by post only."),
                ],
            ),
            page(4, vec![block(1, ""), block(2, "Liability shall “not exceed” EUR 5,000.")]),
        ],
        ..DocumentText::default()
    })
}

fn look(ids: &[&str], anchor: &str) -> Result<(String, &'static str), &'static str> {
    let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
    let index = index();
    let found = locate(&ids, Some(anchor), &index)?;
    let how = match found.how {
        How::Exact => "exact",
        How::Fuzzy(_) => "fuzzy",
        How::Block => "block",
    };
    let shown = shown(&found, &ids, &index);
    let text: Vec<char> = index.text(shown["block"].as_str().unwrap()).unwrap().chars().collect();
    let quote: String = text[found.quote].iter().collect();
    assert_eq!(shown["quote"], quote.as_str(), "the quote is the block's own text");
    Ok((shown["block"].as_str().unwrap().to_owned(), how))
}

#[test]
fn words_of_the_text_are_found() {
    for (what, id, anchor, block, how) in [
        ("verbatim", "p1.b3", "shall not exceed GBP 450,000.00", "p1.b3", "exact"),
        ("verbatim", "p2.b1", "deberá abonar una renta mensual de 4.350,00 euros", "p2.b1", "exact"),
        ("case", "p1.b2", "THE FEE IS eur 100", "p1.b2", "exact"),
        ("reformatted", "p1.b3", "“The Supplier\nshall  not be li-\nable…”", "p1.b3", "exact"),
        ("reformatted", "p4.b2", "Liability shall \"not  exceed\"\nEUR 5,000", "p4.b2", "exact"),
        ("brackets", "[p1.b2]", "the fee", "p1.b2", "exact"),
        ("one block on", "p1.b2", "not be liable", "p1.b3", "exact"),
        ("another block", "p9.b9", "not be liable for loss", "p1.b3", "exact"),
        ("over two blocks", "p2.b2", "shall be given in writing", "p2.b2", "exact"),
        (
            "typos",
            "p1.b3",
            "the liabilty of the Suplier under this Agreement shall not exceed GBP 450,000.00",
            "p1.b3",
            "fuzzy",
        ),
        (
            "typos",
            "p2.b1",
            "El Arendatario deberá abonar una renta mensual de 4.350,00 euros",
            "p2.b1",
            "fuzzy",
        ),
        (
            "dropped",
            "p1.b3",
            "The liability of Supplier under this Agreement shall not exceed GBP 450,000.00",
            "p1.b3",
            "fuzzy",
        ),
        (
            "dropped",
            "p2.b1",
            "no podrá ceder contrato sin el consentimiento previo y por escrito del Arrendador",
            "p2.b1",
            "fuzzy",
        ),
        (
            "number written otherwise",
            "p1.b3",
            "under this Agreement shall not exceed GBP 450000",
            "p1.b3",
            "fuzzy",
        ),
        (
            "typos elsewhere",
            "p9.b9",
            "the liabilty of the Supplier under this Agreement shall not exceed GBP",
            "p1.b3",
            "fuzzy",
        ),
    ] {
        assert_eq!(look(&[id], anchor), Ok((block.to_owned(), how)), "{what}: {anchor}");
    }
}

#[test]
fn what_says_something_else_is_not_found() {
    for (what, id, anchor) in [
        ("number changed", "p1.b2", "The fee is EUR 1000 a month"),
        ("number cut", "p1.b2", "The fee is EUR 10"),
        ("number cut", "p4.b2", "EUR 5"),
        (
            "number changed",
            "p1.b3",
            "The liability of the Supplier under this Agreement shall not exceed GBP 45,000.00",
        ),
        (
            "number changed",
            "p2.b1",
            "deberá abonar una renta mensual de 4.530,00 euros dentro de los cinco primeros días",
        ),
        (
            "number word changed",
            "p1.b3",
            "this Agreement shall not exceed GBP 450,000.00 in any period of six months",
        ),
        (
            "number word changed",
            "p2.b1",
            "una renta mensual de 4.350,00 euros dentro de los diez primeros días de cada mes",
        ),
        (
            "currency changed",
            "p1.b3",
            "of the Supplier under this Agreement shall not exceed EUR 450,000.00 in any period",
        ),
        ("unit changed", "p1.b3", "Agreement shall not exceed GBP 450,000.00 in any period of twelve weeks"),
        (
            "not left out",
            "p1.b3",
            "The liability of the Supplier under this Agreement shall exceed GBP 450,000.00",
        ),
        (
            "not inserted",
            "p2.b1",
            "El Arrendatario no deberá abonar una renta mensual de 4.350,00 euros dentro de",
        ),
        (
            "not left out",
            "p2.b1",
            "El Arrendatario podrá ceder el contrato sin el consentimiento previo y por escrito",
        ),
        (
            "duty changed",
            "p1.b3",
            "The liability of the Supplier under this Agreement may not exceed GBP 450,000.00",
        ),
        (
            "duty changed",
            "p2.b1",
            "El Arrendatario podrá abonar una renta mensual de 4.350,00 euros dentro de los cinco",
        ),
        (
            "without for with",
            "p2.b1",
            "podrá ceder el contrato con el consentimiento previo y por escrito del Arrendador",
        ),
        (
            "another document",
            "p1.b3",
            "The Licensee grants a worldwide licence to use the trade marks in the territory",
        ),
        (
            "another document",
            "p2.b1",
            "La sociedad absorbente adquiere en bloque el patrimonio de la sociedad absorbida",
        ),
        (
            "word salad",
            "p1.b3",
            "exceed Supplier twelve liability the shall GBP any not period under Agreement",
        ),
        ("word salad", "p2.b1", "euros renta cada de Arrendatario mes los abonar mensual días cinco deberá"),
        ("one word elsewhere", "p1.b1", "fraud"),
    ] {
        assert!(look(&[id], anchor).is_err(), "{what}: {anchor}: {:?}", look(&[id], anchor));
    }
}

#[test]
fn a_block_without_words_is_its_own_evidence_if_it_is_there() {
    let of = |ids: Value, anchor: Value| {
        let mut value = json!({"items": [{"evidence": {"block_ids": ids, "anchor": anchor}}]});
        ground(&mut value, &index());
        let counted = count(&value);
        assert_eq!(counted.found + counted.withheld, 1);
        value["items"][0]["evidence"].take()
    };
    let found = of(json!(["p9.b9", "p1.b2"]), Value::Null);
    assert_eq!(
        found,
        json!({"page": 1, "block": "p1.b2", "start": 0, "end": 27, "quote": "The fee is EUR 100 a month.",
            "match": "block", "score": null, "grounded": true})
    );
    assert_eq!(of(json!(["p1.b2"]), json!("…"))["match"], "block");
    for (ids, anchor) in
        [(json!(["p9.b9"]), Value::Null), (json!([]), Value::Null), (json!(["p1.b2"]), json!("nonsense"))]
    {
        let withheld = of(ids, anchor);
        assert_eq!(withheld["grounded"], false);
        assert!(withheld["reason"].is_string() && withheld.get("quote").is_none());
    }
}

#[test]
fn a_quote_is_the_sentence_and_says_where_it_stands() {
    let mut value = json!({"evidence": {"block_ids": ["p1.b3"], "anchor": "GBP 450,000.00 in any"}});
    ground(&mut value, &index());
    let evidence = &value["evidence"];
    assert_eq!(
        evidence["quote"],
        "The liability of the Supplier under this Agreement shall not exceed GBP 450,000.00 in any period of twelve months."
    );
    let start = evidence["start"].as_u64().unwrap() as usize;
    assert_eq!(start, LIABILITY.find("The liability").unwrap());
    assert_eq!(
        evidence["end"].as_u64().unwrap() as usize - start,
        evidence["quote"].as_str().unwrap().chars().count()
    );
    assert_eq!(
        (&evidence["match"], &evidence["score"], &evidence["page"]),
        (&json!("exact"), &json!(1.0), &json!(1))
    );
}

#[test]
fn a_proof_goes_on_behind_its_quote_and_in_the_other_blocks() {
    let mut value =
        json!({"evidence": {"block_ids": ["p1.b3", "p9.b9", "[p1.b2]"], "anchor": "the supplier shall not"}});
    ground(&mut value, &index());
    assert_eq!(value["evidence"]["also"], json!(["p1.b2"]));
    let proof = proof(&value["evidence"], &index()).unwrap();
    assert!(proof.starts_with("The Supplier shall not") || proof.starts_with("9.1"), "{proof}");
    assert!(proof.contains("450,000.00") && proof.ends_with("EUR 100 a month."), "{proof}");
}

#[test]
fn a_document_without_text_grounds_nothing() {
    let index = Index::new(&DocumentText::default());
    assert!(locate(&["p1.b1".into()], Some("the fee is EUR 5 a month"), &index).is_err());
    assert!(locate(&["p1.b1".into()], None, &index).is_err());
}

/// A long document, and sixty anchors of which a third are verbatim, a third misspelt and a third not there.
fn long() -> (Index, Vec<(String, String)>) {
    let base = format!("{LIABILITY} {RENT} The Customer may terminate this Agreement at any time.");
    let words: Vec<&str> = base.split(' ').collect();
    let mut state = 7_u64;
    let mut next = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let (mut pages, mut anchors) = (Vec::new(), Vec::new());
    for number in 1..=200 {
        let mut blocks = Vec::new();
        for block in 1..=8 {
            let text: Vec<String> = (0..50)
                .map(|_| match next(8) {
                    0 => format!("term{}", next(9000)),
                    1 => format!("{},{:03}.00", next(90) + 1, next(1000)),
                    _ => words[next(words.len())].to_owned(),
                })
                .collect();
            if anchors.len() < 60 && block == 4 && number % 3 == 0 {
                let mut anchor = text[10..24].to_vec();
                match anchors.len() % 3 {
                    0 => {}
                    1 => anchor[3] = "liabilty".into(),
                    _ => (0..7).for_each(|index| anchor[index * 2] = "whereas".into()),
                }
                anchors.push(("p1.b1".to_owned(), anchor.join(" ")));
            }
            blocks.push(Block { number: block, text: text.join(" "), ..Block::default() });
        }
        pages.push(Page { number, blocks, ..Page::default() });
    }
    (Index::new(&DocumentText { pages, ..DocumentText::default() }), anchors)
}

/// Run it with `--release --nocapture` for the figure; in a debug build it only must not take for ever.
#[test]
fn sixty_quotes_in_a_long_document_take_no_time() {
    let begun = Instant::now();
    let (index, anchors) = long();
    let made = begun.elapsed();
    let begun = Instant::now();
    let found = anchors
        .iter()
        .filter(|(id, anchor)| locate(std::slice::from_ref(id), Some(anchor), &index).is_ok())
        .count();
    println!(
        "80,000 words indexed in {made:?} with their making, {} quotes, {found} found in {:?}",
        anchors.len(),
        begun.elapsed()
    );
    assert!((20..=40).contains(&found), "{found}");
    assert!(begun.elapsed().as_secs() < 20);
}
