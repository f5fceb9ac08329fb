//! Which of the installed languages a page is read in.
//!
//! A language more costs as much time again and makes a page no better, so one is chosen: what the sender says, else
//! what the text itself turns out to be in.

use whatlang::{Lang, Script};

/// Of each script, the languages to begin with, the likeliest first. tesseract's names.
const SCRIPTS: &[(&str, Script, &[&str])] = &[
    ("Latin", Script::Latin, &["eng", "deu", "fra", "spa", "ita", "por", "nld", "pol"]),
    ("Cyrillic", Script::Cyrillic, &["rus", "ukr", "bul", "srp"]),
    ("Arabic", Script::Arabic, &["ara", "fas"]),
    ("Hebrew", Script::Hebrew, &["heb"]),
    ("Greek", Script::Greek, &["ell"]),
    ("Han", Script::Mandarin, &["chi_sim", "chi_tra", "jpn"]),
    ("Japanese", Script::Hiragana, &["jpn"]),
    ("Hangul", Script::Hangul, &["kor"]),
    ("Korean", Script::Hangul, &["kor"]),
    ("Devanagari", Script::Devanagari, &["hin", "mar"]),
    ("Thai", Script::Thai, &["tha"]),
];

/// The data that tells scripts apart, not a language.
pub const ORIENTATION: &str = "osd";

/// What ISO 639-1 calls otherwise than tesseract.
const CODES: &[(&str, &str)] = &[
    ("en", "eng"),
    ("de", "deu"),
    ("fr", "fra"),
    ("es", "spa"),
    ("it", "ita"),
    ("pt", "por"),
    ("nl", "nld"),
    ("pl", "pol"),
    ("sv", "swe"),
    ("da", "dan"),
    ("no", "nor"),
    ("nb", "nor"),
    ("fi", "fin"),
    ("cs", "ces"),
    ("hu", "hun"),
    ("ro", "ron"),
    ("tr", "tur"),
    ("ru", "rus"),
    ("uk", "ukr"),
    ("bg", "bul"),
    ("el", "ell"),
    ("ar", "ara"),
    ("fa", "fas"),
    ("he", "heb"),
    ("zh", "chi_sim"),
    ("ja", "jpn"),
    ("ko", "kor"),
    ("hi", "hin"),
    ("th", "tha"),
    ("vi", "vie"),
];

/// Fewer letters tell no language.
const ENOUGH_LETTERS: usize = 60;

/// The installed data for a language by its ISO 639-1 name, with or without a country (`de-AT`).
pub fn named(language: &str, installed: &[String]) -> Option<String> {
    let short = language.split(['-', '_']).next()?.to_ascii_lowercase();
    let code = CODES.iter().find(|(iso, _)| *iso == short).map(|(_, code)| *code)?;
    find(code, installed)
}

/// What to begin with when nothing is known: the likeliest of the script that most languages are installed of.
pub fn first(installed: &[String]) -> Option<String> {
    SCRIPTS
        .iter()
        .flat_map(|(_, _, codes)| codes.iter())
        .find_map(|code| find(code, installed))
        .or_else(|| installed.iter().find(|name| *name != ORIENTATION).cloned())
}

/// Whether a page could be in more than one of the installed scripts.
pub fn several_scripts(installed: &[String]) -> bool {
    let has = |codes: &[&str]| codes.iter().any(|code| find(code, installed).is_some());
    SCRIPTS.iter().filter(|(_, _, codes)| has(codes)).count() > 1
}

/// What to begin with for a script as tesseract names it in `Script: Latin`.
pub fn of_script(answer: &str, installed: &[String]) -> Option<String> {
    let script = answer.lines().find_map(|line| line.strip_prefix("Script:"))?.trim();
    let (_, _, codes) = SCRIPTS.iter().find(|(name, _, _)| *name == script)?;
    codes.iter().find_map(|code| find(code, installed))
}

/// What text that was read is really in, if that is installed.
pub fn of_text(text: &str, installed: &[String]) -> Option<String> {
    if text.chars().filter(|c| c.is_alphabetic()).count() < ENOUGH_LETTERS {
        return None;
    }
    let found = whatlang::detect(text).filter(whatlang::Info::is_reliable)?;
    let code = match found.lang() {
        Lang::Ara => "ara",
        Lang::Cmn => "chi_sim",
        Lang::Nob => "nor",
        Lang::Pes => "fas",
        other => other.code(),
    };
    find(code, installed)
}

fn find(code: &str, installed: &[String]) -> Option<String> {
    installed.iter().find(|name| *name == code).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installed(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn languages_are_found_by_any_of_their_names() {
        let have = installed(&["deu", "eng", "osd", "rus"]);
        assert_eq!(named("de-AT", &have).as_deref(), Some("deu"));
        assert_eq!(named("fr", &have), None, "not installed");
        assert_eq!(
            of_script("Page number: 0\nScript: Cyrillic\nScript confidence: 4\n", &have).as_deref(),
            Some("rus")
        );
        assert_eq!(of_script("Too few characters", &have), None);
        let german = "Sehr geehrte Damen und Herren, hiermit bestätigen wir Ihnen den Eingang Ihrer Bestellung vom Montag.";
        assert_eq!(of_text(german, &have).as_deref(), Some("deu"));
        assert_eq!(of_text("Damen", &have), None, "too short to tell");
    }

    #[test]
    fn something_is_there_to_begin_with() {
        assert_eq!(first(&installed(&["deu", "eng", "osd"])).as_deref(), Some("eng"));
        assert_eq!(first(&installed(&["osd", "xyz"])).as_deref(), Some("xyz"));
        assert_eq!(first(&installed(&["osd"])), None);
        assert!(
            several_scripts(&installed(&["deu", "rus"])) && !several_scripts(&installed(&["deu", "eng"]))
        );
    }
}
