//! ZIP archives: every file inside is a document of its own.

use std::io::{Cursor, Read as _};

use zip::ZipArchive;
use zip::read::{HasZipMetadata as _, ZipReadOptions};
use zip::result::ZipError;

use super::Inside;
use super::office::package::{MAX_ENTRIES, MAX_RATIO};
use crate::document::{Limit, ReadError};

/// The engine's name and version.
pub(crate) const NAME: &str = "zip 8.6.0";

/// Up to this size it does not matter how much smaller an archive is than what it holds.
const ANY_RATIO: u64 = 64 << 20;

/// Gives each file of an archive to `found`, as it comes, decrypted where it is encrypted. Limits on how many and how much
/// in all are the caller's.
///
/// # Errors
/// [`ReadError::Encrypted`] also for a wrong password, [`ReadError::Broken`], [`ReadError::Empty`], [`ReadError::LimitExceeded`], and what
/// `found` answers.
pub fn archive(
    bytes: &[u8],
    password: Option<&str>,
    found: &mut dyn FnMut(Inside) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let broken = |error: ZipError| match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) | ZipError::InvalidPassword => {
            ReadError::Encrypted
        }
        _ => ReadError::Broken("not a readable archive".to_owned()),
    };
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    if archive.len() > MAX_ENTRIES {
        return Err(ReadError::LimitExceeded(Limit::Unpacked));
    }
    let mut left = (bytes.len() as u64).saturating_mul(MAX_RATIO).max(ANY_RATIO);
    let mut any = false;
    for at in 0..archive.len() {
        let options = ZipReadOptions::new().password(password.map(str::as_bytes));
        let mut file = archive.by_index_with_options(at, options).map_err(broken)?;
        let name = file.name().replace('\\', "/");
        if file.is_dir() || is_housekeeping(&name) {
            continue;
        }
        let mut content = Vec::new();
        // What it says of its size is not asked.
        let unpacked = file.by_ref().take(left + 1).read_to_end(&mut content);
        unpacked.map_err(|_| match file.get_metadata().encrypted {
            // One wrong password in 256 shows only now, with the old encryption.
            true => ReadError::Encrypted,
            false => ReadError::Broken("a file of the archive cannot be unpacked".to_owned()),
        })?;
        left = left.checked_sub(content.len() as u64).ok_or(ReadError::LimitExceeded(Limit::Unpacked))?;
        any = true;
        found(Inside { name, content })?;
    }
    if any { Ok(()) } else { Err(ReadError::Empty) }
}

/// What systems put beside people's files.
fn is_housekeeping(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or_default();
    name.split('/').any(|part| part == "__MACOSX")
        || last.starts_with("._")
        || [".DS_Store", "Thumbs.db", "desktop.ini"].contains(&last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use zip::unstable::write::FileOptionsExt as _;
    use zip::write::SimpleFileOptions;

    fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in files {
            zip.start_file(*name, SimpleFileOptions::default()).expect("a name");
            zip.write_all(content).expect("memory");
        }
        zip.finish().expect("memory").into_inner()
    }

    fn read(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, ReadError> {
        read_with(bytes, None)
    }

    fn read_with(bytes: &[u8], password: Option<&str>) -> Result<Vec<(String, Vec<u8>)>, ReadError> {
        let mut all = Vec::new();
        archive(bytes, password, &mut |inside| {
            all.push((inside.name, inside.content));
            Ok(())
        })?;
        Ok(all)
    }

    #[test]
    fn every_document_comes_out_and_housekeeping_stays() {
        let files = [
            ("a.txt", &b"one"[..]),
            ("b/", b""),
            ("b/a.txt", b"two"),
            ("__MACOSX/b/._a.txt", b"x"),
            ("b/.DS_Store", b"x"),
        ];
        let found = read(&zip(&files)).expect("readable");
        assert_eq!(found, [("a.txt".into(), b"one".to_vec()), ("b/a.txt".into(), b"two".to_vec())]);
        assert!(matches!(read(&zip(&[("Thumbs.db", b"x")])), Err(ReadError::Empty)));
        assert!(matches!(read(b"PK\x03\x04 and no more"), Err(ReadError::Broken(_))));
    }

    #[test]
    fn encrypted_files_open_with_the_password_and_the_others_without() {
        let words = b"words that nobody else should read".repeat(100);
        let aes = |options: SimpleFileOptions| options.with_aes_encryption(zip::AesMode::Aes256, "schlüssel");
        let old = |options: SimpleFileOptions| {
            options.with_deprecated_encryption("schlüssel".as_bytes()).expect("a password")
        };
        for encrypted in [aes as fn(SimpleFileOptions) -> _, old] {
            let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
            let plain = SimpleFileOptions::default();
            for (name, options) in [("plain.txt", plain), ("secret.txt", encrypted(plain))] {
                zip.start_file(name, options).expect("a name");
                zip.write_all(&words).expect("memory");
            }
            let bytes = zip.finish().expect("memory").into_inner();
            let found = read_with(&bytes, Some("schlüssel")).expect("it opens");
            assert_eq!(found, [("plain.txt".into(), words.clone()), ("secret.txt".into(), words.clone())]);
            assert!(matches!(read(&bytes), Err(ReadError::Encrypted)));
            // Many wrong ones: the check that comes first lets one in 256 of them pass.
            for wrong in 0..600 {
                let error = read_with(&bytes, Some(&format!("wrong {wrong}"))).expect_err("a wrong password");
                assert!(matches!(error, ReadError::Encrypted), "{error}");
            }
        }
        let plain = zip(&[("a.txt", &words)]);
        assert_eq!(read_with(&plain, Some("whatever")).expect("it is not asked for").len(), 1);
    }

    #[test]
    fn a_bomb_is_stopped_by_what_it_unpacks_to() {
        let bomb = zip(&[("a", &vec![0; 40 << 20]), ("b", &vec![0; 40 << 20])]);
        assert!(bomb.len() < 200_000, "{}", bomb.len());
        assert!(matches!(read(&bomb), Err(ReadError::LimitExceeded(Limit::Unpacked))));
    }
}
