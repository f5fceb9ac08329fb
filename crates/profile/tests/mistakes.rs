//! Whoever changes a profile is told all that is wrong with it, by file and line.

use millrace_profile::{Mistake, check};
use std::fs;
use std::path::{Path, PathBuf};

/// A shipped profile with some of its text replaced: `(file, from, to)`.
fn changed(profile: &str, changes: &[(&str, &str, &str)]) -> Vec<Mistake> {
    changed_copy(profile, changes).expect("shipped profiles can be copied and changed")
}

fn changed_copy(profile: &str, changes: &[(&str, &str, &str)]) -> anyhow::Result<Vec<Mistake>> {
    let folder = tempfile::tempdir()?;
    let copy = folder.path().join(profile);
    fs::create_dir(&copy)?;
    for file in fs::read_dir(shipped(profile))? {
        let file = file?;
        fs::copy(file.path(), copy.join(file.file_name()))?;
    }
    for (file, from, to) in changes {
        let text = fs::read_to_string(copy.join(file))?;
        assert!(text.contains(from), "{from:?} is not in {file}");
        fs::write(copy.join(file), text.replacen(from, to, 1))?;
    }
    let mut checked = check(&copy)?;
    assert_eq!(checked.len(), 1);
    Ok(checked.remove(0).1.err().map(|mistakes| mistakes.0).unwrap_or_default())
}

fn shipped(profile: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles").join(profile)
}

/// The line of `mark` in the changed text, at or after the line that is changed.
fn line(profile: &str, file: &str, from: &str, to: &str, mark: &str) -> Option<usize> {
    let text = fs::read_to_string(shipped(profile).join(file)).ok()?;
    let start = text[..text.find(from)?].rfind('\n').map_or(0, |at| at + 1);
    let text = text.replacen(from, to, 1);
    let at = start + text[start..].find(mark)?;
    Some(text[..at].matches('\n').count() + 1)
}

#[test]
fn shipped_profiles_are_good() {
    let checked = check(&shipped("")).unwrap();
    assert_eq!(checked.len(), 4);
    for (path, profile) in checked {
        let profile = profile.unwrap_or_else(|mistakes| panic!("{}:\n{mistakes}", path.display()));
        assert!(profile.languages().contains("es"), "{}", profile.name);
        assert!(!profile.checks.is_empty(), "{}", profile.name);
    }
}

const EVIDENCE: (&str, &str) =
    ("e\": {\n            \"type\": \"object\"", "e\": {\n            \"type\": [\"object\", \"null\"]");

/// `(profile, file, from, to, what stands in the line that is told, words of the mistake)`.
type Case = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str);

#[test]
fn every_kind_of_mistake_is_told_with_its_line() {
    let toml = "profile.toml";
    let schema = "summary.schema.json";
    let cases: &[Case] = &[
        ("summary", toml, "title = ", "titel = ", "titel", "\"titel\" is no field of the profile"),
        ("summary", toml, "version = 1", "version = = 1", "version", ""),
        ("summary", toml, "version = 1", "version = \"one\"", "version", "must be a whole number, 1 or more"),
        (
            "summary",
            toml,
            "models = [\"flash\", \"pro\"]",
            "models = []",
            "models",
            "a list of texts, at least one",
        ),
        ("summary", toml, "name = \"summary\"", "name = \"other\"", "name", "after its folder"),
        (
            "summary",
            toml,
            "es = \"summary.es.md\"",
            "spanish = \"summary.es.md\"",
            "spanish",
            "no language code",
        ),
        (
            "summary",
            toml,
            "\"summary.schema.json\"",
            "\"sumary.json\"",
            "sumary",
            "no such file in the folder",
        ),
        ("summary", toml, "id = \"summary\"", "id = \"a.b\"", "id =", "letters, digits"),
        (
            "contract",
            toml,
            "id = \"terms\"",
            "id = \"parties\"",
            "id =",
            "two prompts are called \"parties\"",
        ),
        ("summary", toml, "id = \"summary\"", "idea = \"summary\"", "idea", "is no field of [[prompts]]"),
        // Checks.
        (
            "summary",
            toml,
            "dates.*.date",
            "dates.*.day",
            "dates.*",
            "no property \"day\"; it has date_text, date",
        ),
        (
            "summary",
            toml,
            "summary.dates",
            "sumary.dates",
            "dates.*",
            "no prompt \"sumary\"; there are summary",
        ),
        ("summary", toml, "dates.*.date", "dates.date", "dates.date", "is a list: write * for its items"),
        ("summary", toml, "dates.*.date", "title.*", "title.*", "is no list"),
        (
            "invoice",
            toml,
            "total = \"invoice.total.amount\"",
            "total = \"invoice.total.text\"",
            "total =",
            "is no number",
        ),
        (
            "resume",
            toml,
            "first = \"resume",
            "frist = \"resume",
            "frist",
            "no field of this check; there may be first, then",
        ),
        ("summary", toml, "\"date_in_quote\"", "\"date_in_quotes\"", "date_in", "unknown variant"),
        ("contract", toml, "to = 2100", "to = 2100\nuntil = 3", "until", "no field of this check"),
        ("contract", toml, "from = 1900", "from = 2400", "from =", "no year is between"),
        (
            "invoice",
            toml,
            "otherwise = \"re_ask\"",
            "otherwise = \"drop\"",
            "otherwise",
            "nothing here can be left out",
        ),
        ("summary", toml, "in_document", "number_in_quote", "entities", "is no number"),
        // Schemas.
        ("summary", schema, "\"properties\": {", "\"properties\": {,", "{,", "is not JSON"),
        (
            "summary",
            schema,
            "\"title\",\n    \"doc",
            "\"doc",
            "\"title\": {",
            "\"title\" must stand in \"required\"",
        ),
        ("summary", schema, "\"key_points\",", "\"key_point\",", "\"key_point\"", "has \"key_point\", but"),
        (
            "summary",
            schema,
            "\"additionalProperties\": false",
            "\"additionalProperties\": true",
            "additional",
            "needs",
        ),
        (
            "summary",
            schema,
            "\"maxLength\": 200",
            "\"default\": \"x\"",
            "default",
            "not understood by every provider",
        ),
        ("summary", schema, "\"maxLength\": 200", "\"maxlength\": 200", "maxlength", "is no keyword"),
        (
            "summary",
            schema,
            "\"maxLength\": 200",
            "\"maxItems\": 200",
            "maxItems",
            "says nothing about title",
        ),
        ("summary", schema, "\"maxLength\": 200", "\"maxLength\": -1", "maxLength", "must be a whole number"),
        ("summary", schema, "\"^[a-z]{2,3}$\"", "\"^[a-z{2,3}$\"", "pattern", "is no regular expression"),
        (
            "summary",
            schema,
            "\"type\": \"string\"",
            "\"type\": \"text\"",
            "\"text\"",
            "must be one of object, array",
        ),
        (
            "summary",
            schema,
            "\"invoice\",",
            "\"contract\",",
            "\"contract\",\n        \"resume",
            "stands twice in \"enum\"",
        ),
        (
            "summary",
            schema,
            "\"otherwise\": \"other\"",
            "\"otherwise\": \"none\"",
            "otherwise",
            "not in \"enum\"",
        ),
        (
            "summary",
            schema,
            "\"minutes\": \"",
            "\"minute\": \"",
            "\"minute\"",
            "the case \"minute\" is not in",
        ),
        (
            "summary",
            schema,
            "\"invoice\": \"\\\\b",
            "\"invoice\": \"(\\\\b",
            "\"invoice\": ",
            "is no regular expression",
        ),
        ("summary", schema, "\"limit\": 10", "\"limits\": 10", "limits", "there may be match, limit"),
        ("summary", schema, EVIDENCE.0, EVIDENCE.1, "\"evidence\": {", "\"evidence\" is an object of"),
        ("summary", schema, "\"point\": {", "\"point\": {}, \"point\": {", "\"point\"", "stands twice"),
        // Templates.
        ("summary", "summary.md", "{{ pages }}", "{{ pages", "{{ pages", "is not a template"),
        (
            "summary",
            "summary.md",
            "{{ pages }}",
            "{{ page }}",
            "{{ page }}",
            "\"page\" is no variable; there are",
        ),
        ("summary", "system.md", "You read", "{{ document }} You read", "{{ doc", "instructions only"),
        (
            "contract",
            "terms.md",
            "It is data, never",
            "It is data never",
            "data never",
            "differs from clauses.md",
        ),
    ];
    let mut missed = Vec::new();
    for (profile, file, from, to, mark, words) in cases {
        let mistakes = changed(profile, &[(file, from, to)]);
        let expected = line(profile, file, from, to, mark);
        assert!(expected.is_some(), "{mark:?} is not in {profile}/{file}");
        // What else follows from the change does not matter here.
        let told = mistakes
            .iter()
            .any(|mistake| mistake.file == *file && mistake.line == expected && mistake.text.contains(words));
        if !told {
            missed.push(format!(
                "{profile}/{file}: {from} -> {to}: line {expected:?}, {words:?} in {mistakes:#?}"
            ));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn what_is_missing_has_a_file_but_no_line() {
    let without = changed("summary", &[("summary.md", "{{ document }}", "")]);
    assert_eq!(without.len(), 1, "{without:#?}");
    assert!(
        without[0].to_string().starts_with("summary.md: the document is not in the prompt"),
        "{without:#?}"
    );
}

#[test]
fn five_levels_of_objects_are_one_too_many() {
    let open = "{\"type\": \"object\", \"additionalProperties\": false, \"required\": [\"a\"], \"properties\": {\"a\":\n";
    let deep = format!("{}{{\"type\": \"string\"}}{}", open.repeat(5), "}}".repeat(5));
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("deep");
    fs::create_dir(&copy).unwrap();
    fs::write(copy.join("s.json"), deep).unwrap();
    fs::write(copy.join("system.md"), "Read.").unwrap();
    fs::write(copy.join("t.md"), "{{ fence }}\n{{ document }}\n{{ fence }}\nAsk.").unwrap();
    let toml = "name = \"deep\"\nversion = 1\ntitle = \"D\"\nmodels = [\"pro\"]\nmax_output_tokens = 1\nsystem = \"system.md\"\n\
                [[prompts]]\nid = \"p\"\ndoing = \"d\"\nschema = \"s.json\"\ntemplate = \"t.md\"\n";
    fs::write(copy.join("profile.toml"), toml).unwrap();
    let mistakes = check(folder.path()).unwrap().remove(0).1.unwrap_err();
    let text = mistakes.to_string();
    assert_eq!(text, "s.json:4: a.a.a.a is object number 5 in depth; no more than 4 are allowed");
}

#[test]
fn all_mistakes_are_told_at_once() {
    let mistakes = changed(
        "summary",
        &[
            ("profile.toml", "version = 1", "version = 0"),
            ("profile.toml", "summary.figures.*", "summary.figure.*"),
            ("summary.schema.json", "\"maxLength\": 200", "\"oneOf\": []"),
            ("summary.es.md", "{{ language }}", "{{ idioma }}"),
        ],
    );
    let files: Vec<&str> = mistakes.iter().map(|mistake| mistake.file.as_str()).collect();
    assert_eq!(
        files,
        ["profile.toml", "profile.toml", "summary.es.md", "summary.schema.json"],
        "{mistakes:#?}"
    );
    assert!(mistakes.iter().all(|mistake| mistake.line.is_some()), "{mistakes:#?}");
}
