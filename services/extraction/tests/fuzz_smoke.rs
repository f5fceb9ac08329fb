//! A smoke run of the fuzz target `frames`: see docs/fuzzing.md.

#[path = "../../../fuzz/mutate.rs"]
mod mutate;
#[path = "../../../fuzz/targets/frames.rs"]
mod target;

use millrace_extraction::frames::{Body, DoneFrame, FailedFrame, PageFrame, PictureFrame, write};

fn said(bodies: &[Body]) -> Vec<u8> {
    let mut out = vec![7];
    for body in bodies {
        write(&mut out, body.clone()).expect("a vector takes everything");
    }
    out
}

fn page(number: u32, blocks: &[&str]) -> Body {
    let lengths = blocks.iter().map(|block| block.len() as u32).collect();
    Body::Page(PageFrame {
        number,
        text: blocks.concat(),
        lengths,
        image_coverage: 0.5,
        ..PageFrame::default()
    })
}

#[test]
fn a_parent_survives_whatever_a_child_says() {
    let done = Body::Done(DoneFrame { engine: "e 1".into(), agreement: Some(0.9), ..DoneFrame::default() });
    let failed = Body::Failed(FailedFrame { kind: "limit".into(), detail: "pages".into() });
    let size = PictureFrame { width: 3, height: 2, points_wide: 30.0, points_high: 20.0 };
    let seeds = [
        said(&[Body::Total(2), page(1, &["äöü", "two"]), page(2, &[]), done.clone()]),
        said(&[Body::Total(1), page(1, &["one"]), failed]),
        said(&[Body::Picture(size), Body::Rows(vec![0, 255, 9]), Body::Rows(vec![1, 2, 3]), done]),
        vec![1, 255, 255, 255, 255, 0],
        Vec::new(),
    ];
    assert!(millrace_extraction::child::overlooked([&seeds[2][1..]]).is_ok(), "the seeds are honest ones");
    mutate::smoke(&seeds, 30_000, target::run);
}
