//! Every attack of the generator against a real child, with a neighbour's document being read all the while.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use millrace_extraction::{MediaType, Options, ReadError, Source, Text, read_whole};
use millrace_testkit::hostile::{Attack, attacks, pages, says};

use crate::options;

/// Tight, so that the test is over soon; the same code keeps them however large they are.
const CPU_SECONDS: u64 = 2;
const WALL_SECONDS: u64 = 20;
const OCR_SECONDS: u64 = 10;

fn limited() -> Options {
    Options {
        max_memory_mib: 512,
        max_cpu_seconds: CPU_SECONDS,
        max_wall_seconds: WALL_SECONDS,
        max_ocr_seconds: OCR_SECONDS,
        max_text_bytes: 1_000_000,
        ..options()
    }
    .found()
}

/// How an attack may end, in a word; `None` if it may not end so.
fn ending(outcome: &Result<Text, ReadError>) -> Option<String> {
    match outcome {
        Ok(text) => Some(format!("text of {} pages", text.pages.len())),
        Err(
            ReadError::Io(_) | ReadError::Forbidden | ReadError::Unsupported(_) | ReadError::ForAnotherLane,
        ) => None,
        Err(other) => Some(other.to_string()),
    }
}

fn run(attack: &Attack, options: &Options) -> Result<String, String> {
    let bytes = (attack.make)();
    let begun = Instant::now();
    let outcome = read_whole(MediaType::from(attack.media), Source::Bytes(&bytes), options, &mut |_, _| {});
    let took = begun.elapsed();
    // Read by two engines, read again by one, a picture drawn; and what ends at the wall ends within a second of it.
    let most = Duration::from_secs(3 * WALL_SECONDS + OCR_SECONDS + 5);
    let line = format!("{:40} {:6.2} s  {outcome:.80?}", attack.name, took.as_secs_f64());
    match ending(&outcome) {
        Some(ending) if took < most => {
            Ok(format!("{:40} {:6.2} s  {ending}", attack.name, took.as_secs_f64()))
        }
        _ => Err(line),
    }
}

#[test]
fn each_attack_ends_within_its_limits_and_its_neighbour_is_read() {
    let honest = pages(&[says("The first page of six words"), says("and the second one after it")], "", &[]);
    let alone = read_whole(MediaType::Pdf, Source::Bytes(&honest), &options(), &mut |_, _| {}).expect("text");
    let over = AtomicBool::new(false);
    let (lines, neighbours) = std::thread::scope(|scope| {
        let neighbour = scope.spawn(|| {
            let mut read_so_far = 0;
            while !over.load(Ordering::Relaxed) {
                let text = read_whole(MediaType::Pdf, Source::Bytes(&honest), &options(), &mut |_, _| {});
                assert_eq!(text.expect("the neighbour's text"), alone);
                read_so_far += 1;
                std::thread::sleep(Duration::from_millis(50));
            }
            read_so_far
        });
        let limited = limited();
        let lines: Vec<_> = attacks().iter().map(|attack| run(attack, &limited)).collect();
        over.store(true, Ordering::Relaxed);
        (lines, neighbour.join().expect("the neighbour"))
    });
    for line in lines.iter() {
        println!("{}", line.as_ref().unwrap_or_else(|line| line));
    }
    println!("{neighbours} documents of the neighbour were read meanwhile");
    let wrong: Vec<_> = lines.into_iter().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(neighbours > 0);
}
