//! Encrypted PDFs through a real child: with the password, without one, with a wrong one; and nobody sees it on the way.

use std::path::{Path, PathBuf};

use millrace_extraction::pdf::EngineChoice;
use millrace_extraction::{MediaType, Options, Password, ReadError, Source, Text, read_whole};
use pdf_extract::{Document, EncryptionState, EncryptionVersion, Object, Permissions};

/// `samples/encrypted.pdf`: AES-256, opens with this user password only.
const PASSWORD: &str = "millrace";

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples").join(name)
}

fn options(engine: EngineChoice, password: Option<&str>) -> Options {
    Options {
        pdf_engine: engine,
        password: password.map(Password::new),
        child_program: Some(env!("CARGO_BIN_EXE_millrace-extraction").into()),
        ..Options::default()
    }
}

fn read_sample(name: &str, options: &Options) -> Result<Text, ReadError> {
    let bytes = std::fs::read(sample(name)).expect("a sample");
    read_whole(MediaType::Pdf, Source::Bytes(&bytes), options, &mut |_, _| {})
}

fn words(text: &Text) -> usize {
    text.pages.iter().map(millrace_extraction::Page::words).sum()
}

#[test]
fn every_engine_opens_with_the_password_and_says_which_way_it_failed() {
    for engine in [
        EngineChoice::Auto,
        EngineChoice::Hayro,
        EngineChoice::Unpdf,
        EngineChoice::PdfOxide,
        EngineChoice::PdfExtract,
    ] {
        let text = read_sample("encrypted.pdf", &options(engine, Some(PASSWORD)));
        let text = text.unwrap_or_else(|error| panic!("{engine:?}: {error}"));
        assert!(text.pages.len() == 2 && words(&text) > 100, "{engine:?}: {} words", words(&text));
        let without = read_sample("encrypted.pdf", &options(engine, None));
        assert!(matches!(without, Err(ReadError::Encrypted)), "{engine:?}: {without:?}");
        let wrong = read_sample("encrypted.pdf", &options(engine, Some("mill race")));
        assert!(matches!(wrong, Err(ReadError::WrongPassword)), "{engine:?}: {wrong:?}");
        for error in [without, wrong] {
            let said = format!("{:?}", error.map(drop));
            assert!(!said.contains("mill race"), "{said}");
        }
    }
}

#[test]
fn the_vote_is_as_ever_behind_a_password() {
    let text = read_sample("encrypted.pdf", &options(EngineChoice::Auto, Some(PASSWORD))).expect("it opens");
    assert!(text.agreement > Some(0.9), "{:?}", text.agreement);
}

/// Encrypted as before 2008: a user's password and an owner's, a byte a letter.
fn old(user: &str, owner: &str) -> Vec<u8> {
    let mut document = Document::load(sample("contract-en.pdf")).expect("a sample");
    if !document.trailer.has(b"ID") {
        let id = Object::string_literal("sixteen bytes ok");
        document.trailer.set("ID", vec![id.clone(), id]);
    }
    let version = EncryptionVersion::V2 {
        document: &document,
        owner_password: owner,
        user_password: user,
        key_length: 128,
        permissions: Permissions::all(),
    };
    let state = EncryptionState::try_from(version).expect("a state");
    document.encrypt(&state).expect("encrypted");
    let mut bytes = Vec::new();
    document.save_to(&mut bytes).expect("saved");
    bytes
}

#[test]
fn the_owner_s_password_opens_too_and_so_do_letters_of_old() {
    let read_old = |password: &str| {
        let bytes = old("schlüssel", "the owner");
        let options = options(EngineChoice::Auto, Some(password));
        read_whole(MediaType::Pdf, Source::Bytes(&bytes), &options, &mut |_, _| {})
    };
    for password in ["schlüssel", "the owner"] {
        let text = read_old(password).unwrap_or_else(|error| panic!("{password}: {error}"));
        assert!(words(&text) > 100, "{password}: {} words", words(&text));
    }
    assert!(matches!(read_old("schlussel"), Err(ReadError::WrongPassword)));
}

#[test]
fn a_password_that_nobody_asks_for_changes_nothing() {
    let plain = read_sample("contract-en.pdf", &options(EngineChoice::Auto, None)).expect("text");
    let with = read_sample("contract-en.pdf", &options(EngineChoice::Auto, Some("whatever"))).expect("text");
    assert_eq!(plain, with);
}

#[test]
fn a_password_shows_itself_to_nobody() {
    let options = options(EngineChoice::Auto, Some("s3cret"));
    assert!(!format!("{options:?}").contains("s3cret"));
}

/// A child that tells what is in its arguments, its variables and its other descriptors, instead of reading.
#[test]
fn a_child_is_told_by_nothing_that_others_can_see() {
    let children = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/children");
    let told = Options {
        child_program: Some(children.join("indiscreet")),
        ..options(EngineChoice::Auto, Some("s3cret-of-this-test"))
    };
    let bytes = std::fs::read(sample("encrypted.pdf")).expect("a sample");
    let Err(ReadError::ChildDied(said)) =
        read_whole(MediaType::Pdf, Source::Bytes(&bytes), &told, &mut |_, _| {})
    else {
        panic!("it does not read");
    };
    assert!(said.ends_with("none of it, and s3cret-of-this-test waits"), "{said}");
}
