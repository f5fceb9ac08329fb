//! A smoke run of the fuzz target `sniffing`: see docs/fuzzing.md.

#[path = "../../../fuzz/mutate.rs"]
mod mutate;
#[path = "../../../fuzz/targets/sniffing.rs"]
mod target;

#[test]
fn any_bytes_are_of_some_type() {
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples");
    let mut seeds: Vec<Vec<u8>> =
        vec![Vec::new(), b"\xff\xfeh\0i\0".to_vec(), b"PK\x03\x04mimetype".to_vec()];
    let mut files: Vec<_> =
        std::fs::read_dir(samples).expect("samples").filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    for file in files.iter().filter(|path| path.is_file()) {
        let mut bytes = std::fs::read(file).expect("a sample");
        bytes.truncate(2048);
        seeds.push(bytes);
    }
    assert!(seeds.len() > 10, "{} seeds", seeds.len());
    mutate::smoke(&seeds, 5_000, target::run);
}
