//! Breakages of the kinds that models make, each with what it must become; what must be refused; and that nothing
//! which is right is touched.

use super::*;
use proptest::prelude::*;
use proptest::strategy::BoxedStrategy;
use serde_json::json;

fn schema() -> Value {
    schema::adapted(&json!({
        "type": "object", "additionalProperties": false, "required": ["title", "kind", "total", "ok", "dated", "points"],
        "properties": {
            "title": {"type": ["string", "null"]},
            "kind": {"type": "string", "enum": ["late_payment", "other"]},
            "total": {"type": ["number", "null"]},
            "ok": {"type": "boolean"},
            "dated": {"type": ["string", "null"], "pattern": "^\\d{4}-\\d{2}-\\d{2}$"},
            "points": {"type": "array", "items": {
                "type": "object", "additionalProperties": false, "required": ["point", "evidence"],
                "properties": {
                    "point": {"type": "string", "minLength": 1},
                    "evidence": {
                        "type": "object", "additionalProperties": false, "required": ["block_ids", "anchor"],
                        "properties": {
                            "block_ids": {"type": "array", "items": {"type": "string"}},
                            "anchor": {"type": ["string", "null"]},
                        },
                    },
                },
            }},
        },
    }))
}

fn with(text: &str, schema: &Value) -> Result<Reading, Refused> {
    read(text, &Form { schema, validator: &jsonschema::validator_for(schema).unwrap() })
}

fn point(text: &str) -> Value {
    json!({"point": text, "evidence": {"block_ids": ["p1.b1"], "anchor": null}})
}

/// An answer whose title, total and points are these.
fn whole(title: Value, total: Value, points: &[Value]) -> Value {
    json!({"title": title, "kind": "other", "total": total, "ok": true, "dated": null, "points": points})
}

const POINT: &str = r#"{"point": "a", "evidence": {"block_ids": ["p1.b1"], "anchor": null}}"#;
const REST: &str = r#""kind": "other", "total": 5, "ok": true, "dated": null"#;

#[test]
fn breakages_are_put_right() {
    let plain = || whole(json!("T"), json!(5), &[point("a")]);
    let titled = |title: &str| whole(json!(title), json!(5), &[point("a")]);
    let total = |total: f64| whole(json!("T"), json!(total), &[point("a")]);
    let good = format!(r#"{{"title": "T", {REST}, "points": [{POINT}]}}"#);
    let g = good.as_str();
    let cases: Vec<(&str, String, Value)> = vec![
        // What stands around.
        ("", good.clone(), plain()),
        ("byte_order_mark", format!("\u{feff}{g}"), plain()),
        ("fence", format!("```json\n{g}\n```"), plain()),
        ("fence", format!("Here:\n```\n{g}\n```\nAnything else?"), plain()),
        ("prose", format!("Here is the JSON: {g}"), plain()),
        ("prose", format!("{g}\nI hope this helps {{you}}."), plain()),
        ("thoughts", format!("<think>a {{draft: 1}}</think>{g}"), plain()),
        ("thoughts", format!("so {{x}} it is</think>\n\n{g}"), plain()),
        ("encoded_twice", serde_json::to_string(g).unwrap(), plain()),
        ("prose", format!("[{g}]"), plain()),
        ("wrapped", format!("{{\"answer\": {g}}}"), plain()),
        // Punctuation.
        ("extra_comma", g.replace("}]}", "},],}"), plain()),
        ("extra_comma", g.replace("\"T\",", "\"T\",,"), plain()),
        ("missing_comma", g.replace("true, ", "true "), plain()),
        ("missing_comma", g.replace("\"T\", ", "\"T\"\n"), plain()),
        (
            "missing_comma",
            g.replace(POINT, &format!("{POINT} {}", POINT.replace("\"a\"", "\"b\""))),
            whole(json!("T"), json!(5), &[point("a"), point("b")]),
        ),
        ("quotation_marks", g.replace('"', "'"), plain()),
        ("quotation_marks", g.replace("\"T\"", "“T”"), plain()),
        ("unquoted_name", g.replace("\"kind\"", "kind").replace("\"ok\"", "ok"), plain()),
        ("unquoted_name", g.replace("\"kind\"", "kind\""), plain()),
        ("quotation_marks", g.replace("\"kind\"", "\"kind"), plain()),
        ("comment", g.replace("\"T\",", "\"T\", // the title\n /* and */ "), plain()),
        ("comment", g.replace("\"T\",", "\"T\",\n# the rest\n"), plain()),
        ("bracket", format!("{g}}}}}"), plain()),
        ("bracket", g.replace("null}}]}", "null}]}"), plain()),
        ("bracket", g.replace("}}]}", "}}}"), plain()),
        // Strings.
        (
            "inner_quotation_mark",
            g.replace("\"T\"", r#""The "Supplier" shall""#),
            titled(r#"The "Supplier" shall"#),
        ),
        (
            "inner_quotation_mark",
            g.replace("\"T\"", r#""the "Fee", or the "Charge"""#),
            titled(r#"the "Fee", or the "Charge""#),
        ),
        (
            "inner_quotation_mark",
            g.replace("\"T\"", r#""Clause "x": of it""#),
            titled(r#"Clause "x": of it"#),
        ),
        ("line_break_in_string", g.replace("\"T\"", "\"one\ntwo\""), titled("one\ntwo")),
        ("escape", g.replace("\"T\"", r#""Party\'s \_name\_""#), titled("Party's _name_")),
        ("quotation_marks", g.replace("\"T\"", "'It's the party's'"), titled("It's the party's")),
        // Literals and numbers.
        ("literal", g.replace("true", "True").replace("null", "None"), plain()),
        ("literal", g.replace("\"other\"", "other"), plain()),
        ("literal", g.replace("\"dated\": null", "\"dated\": undefined"), plain()),
        ("number", g.replace(": 5,", ": 1,250,000.00,"), total(1_250_000.0)),
        ("number", g.replace(": 5,", ": 1.250,50,"), total(1250.5)),
        ("number", g.replace(": 5,", ": 1_250,"), total(1250.0)),
        ("number", g.replace(": 5,", ": 1 250.75,"), total(1250.75)),
        // Types.
        ("number_from_text", g.replace(": 5,", ": \"12\","), total(12.0)),
        ("number_from_text", g.replace(": 5,", ": \"EUR 1,250.00\","), total(1250.0)),
        ("null_from_text", g.replace("\"dated\": null", "\"dated\": \"N/A\""), plain()),
        ("null_from_text", g.replace(": 5,", ": \"\","), whole(json!("T"), Value::Null, &[point("a")])),
        ("spelling", g.replace("\"other\"", "\"Other\""), plain()),
        ("boolean_from_text", g.replace("true", "\"yes\""), plain()),
        ("text_from_number", g.replace("\"T\"", "7"), titled("7")),
        ("list_from_one", g.replace(&format!("[{POINT}]"), POINT), plain()),
        ("missing", g.replace("\"dated\": null, ", ""), plain()),
        ("missing", g.replace(&format!(", \"points\": [{POINT}]"), ""), whole(json!("T"), json!(5), &[])),
        ("unknown_name", g.replace("\"T\",", "\"T\", \"confidence\": 0.9,"), plain()),
        ("name_spelling", g.replace("\"title\"", "\"Title\""), plain()),
        ("evidence_form", g.replace(r#"{"block_ids": ["p1.b1"], "anchor": null}"#, "\"[p1.b1]\""), plain()),
        ("evidence_form", g.replace(r#"["p1.b1"], "anchor": null"#, "\"p1.b1\""), plain()),
        ("evidence_form", g.replace(r#""block_ids": ["p1.b1"]"#, r#""block_id": "[p1.b1]""#), plain()),
        // Cut short: what is incomplete is not there.
        ("cut_short", g.replace("}}]}", "}}, {\"point\": \"b"), plain()),
        ("cut_short", g.replace("}}]}", "}}"), plain()),
        ("cut_short", format!("```json\n{}\n```", g.replace("}}]}", "}}]")), plain()),
    ];
    assert!(cases.len() > 34);
    for (what, text, expected) in cases {
        let reading = with(&text, &schema()).unwrap_or_else(|why| panic!("{what}: {why:?}\n{text}"));
        // 5 and 5.0 are the same number.
        let same = |value: &Value| value["total"].as_f64();
        assert_eq!(same(&reading.value), same(&expected), "{text}");
        let (mut value, mut other) = (reading.value, expected);
        (value["total"], other["total"]) = (Value::Null, Value::Null);
        assert_eq!(value, other, "{what}: {text}");
        assert!(
            what.is_empty() || reading.notes.iter().any(|note| note.what == what),
            "{what}: {:?}",
            reading.notes
        );
        assert_eq!(what.is_empty(), reading.notes.is_empty(), "{text}");
        assert_eq!(reading.cut, what == "cut_short", "{text}");
    }
}

#[test]
fn dates_take_the_form_of_the_schema_if_they_are_certain() {
    for (written, date) in [
        ("1 March 2026", json!("2026-03-01")),
        ("31/12/2026", json!("2026-12-31")),
        ("1 de marzo de 2026", json!("2026-03-01")),
        ("01/03/2026", Value::Null),
    ] {
        let text = format!(
            r#"{{"title": "T", "kind": "other", "total": 5, "ok": true, "dated": "{written}", "points": []}}"#
        );
        let reading = with(&text, &schema()).unwrap();
        assert_eq!(reading.value["dated"], date, "{written}");
        assert_eq!(reading.notes.len(), 1);
        assert_eq!(reading.notes[0].at, "/dated");
    }
}

#[test]
fn evidence_with_a_quote_is_as_good() {
    let point = r#"{"point": "a", "evidence": {"block": "p1.b1", "quote": "the fee"}}"#;
    let text = format!(r#"{{"title": "T", {REST}, "points": [{point}]}}"#);
    let reading = with(&text, &schema()).unwrap();
    assert_eq!(reading.value["points"][0]["evidence"], json!({"block_ids": ["p1.b1"], "anchor": "the fee"}));
    assert_eq!(reading.notes, []);
}

#[test]
fn what_would_need_a_guess_is_refused() {
    let good = format!(r#"{{"title": "T", {REST}, "points": [{POINT}]}}"#);
    let other = good.replace("\"T\"", "\"U\"");
    let malformed: Vec<String> = vec![
        "I'm sorry, but I cannot help with that.".into(),
        "title: T, kind: other, points: none".into(),
        "[1, 2, 3]".into(),
        String::new(),
        "<think>{\"title\": 1".into(),
        "I cannot fill in {\"title\": ..., \"points\": [...]} for you".into(),
        // Two answers.
        format!("{good}\nor rather\n{other}"),
        // The end of the title is anybody's guess.
        good.replace("\"T\", ", "\"T, "),
        // A name that nobody asked for, where marks had to be guessed.
        good.replace("\"T\"", r#""a "b", "c": d""#),
        good.replace("\"T\",", "\"T\", \"x\": \"y\" "),
        // Left out by the model.
        good.replace(POINT, "{\"point\": \"a\", ...}"),
        good.replace(": 5,", ": 5 EUR or so,"),
        good.replace("\"T\",", "\"T\", \"title\": \"U\",").replace("true", "True"),
    ];
    for text in malformed {
        assert_eq!(with(&text, &schema()).map(|reading| reading.value), Err(Refused::Malformed), "{text}");
    }
    for (text, place) in [
        (r#"{"error": "I cannot help with that"}"#.to_owned(), "/points: required"),
        (good.replace("\"other\"", "\"late fee\""), "/kind: enum"),
        (good.replace(": 5,", ": \"1.250\","), "/total: type"),
        (good.replace("null, \"points", "\"soon\", \"points"), "/dated: pattern"),
        (
            good.replace(r#", "evidence": {"block_ids": ["p1.b1"], "anchor": null}"#, ""),
            "/points/0/evidence: required",
        ),
        ("{}".to_owned(), "/title: required"),
        (format!("{{\"example\": {good}}}"), "/title: required"),
    ] {
        match with(&text, &schema()) {
            Err(Refused::Invalid(at)) => assert!(at.iter().any(|at| at == place), "{text}: {at:?}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    // What is missing because the answer was cut is not absent.
    for text in [&good[..12], &good[..40], &good[..good.len() - POINT.len() - 4]] {
        assert!(matches!(with(text, &schema()), Err(Refused::Cut(_))), "{text}");
    }
}

#[test]
fn no_input_hangs_or_panics() {
    let nested = "{\"points\":[".repeat(5_000);
    assert!(with(&nested, &schema()).is_err());
    assert!(with(&"{".repeat(100_000), &schema()).is_err());
    assert!(with(&format!("{{\"title\": \"{}", "\"a, ".repeat(20_000)), &schema()).is_err());
}

/// Any value that fits a schema of the kind that profiles have.
fn fitting(schema: &Value, tame: bool) -> BoxedStrategy<Value> {
    if let Some(options) = schema["enum"].as_array() {
        return proptest::sample::select(options.clone()).boxed();
    }
    let kinds: Vec<String> = match &schema["type"] {
        Value::Array(several) => several.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        other => vec![other.as_str().unwrap_or("null").to_owned()],
    };
    if schema::is_evidence(schema) && tame {
        let ids = proptest::collection::vec("p[1-9]\\.b[1-9]", 1..4);
        let one = (ids, "[A-Z][a-z]{3,6} [a-z ,]{1,12}");
        return one.prop_map(|(ids, anchor)| json!({"block_ids": ids, "anchor": anchor})).boxed();
    }
    let one = |kind: &String| -> BoxedStrategy<Value> {
        match kind.as_str() {
            "object" => {
                let fields = schema::properties(schema).into_iter().flatten();
                let all: Vec<_> =
                    fields.map(|(name, inner)| (Just(name.clone()), fitting(inner, tame))).collect();
                all.prop_map(|fields| Value::Object(fields.into_iter().collect())).boxed()
            }
            "array" => proptest::collection::vec(fitting(schema::items(schema), tame), 0..4)
                .prop_map(Value::Array)
                .boxed(),
            "string" if schema["pattern"].is_string() => {
                let pattern = schema["pattern"].as_str().unwrap_or_default().replace("\\d", "[0-9]");
                let text = proptest::string::string_regex(pattern.trim_matches(['^', '$'])).unwrap();
                text.prop_map(Value::from).boxed()
            }
            "string" if tame => "[A-Z][a-z]{2,6}[a-z ,.;()'/-]{0,20}".prop_map(Value::from).boxed(),
            "string" => prop_oneof![
                "\\PC{1,8}",
                "[\"'{}\\[\\]:,\\\\\\n`/#<> a-z]{1,8}",
                proptest::sample::select(vec![
                    "N/A",
                    "null",
                    "None",
                    "1,250.00",
                    "```json",
                    "</think>",
                    "\u{feff}{}"
                ])
                .prop_map(str::to_owned),
            ]
            .prop_map(Value::from)
            .boxed(),
            "integer" => (0..1000_i64).prop_map(Value::from).boxed(),
            "number" => (0.0..1e6_f64).prop_map(Value::from).boxed(),
            "boolean" => any::<bool>().prop_map(Value::from).boxed(),
            _ => Just(Value::Null).boxed(),
        }
    };
    proptest::strategy::Union::new(kinds.iter().map(one)).boxed()
}

fn profiles() -> Vec<Value> {
    let profiles = millrace_profile::Profiles::load(&millrace_profile::Source(None)).unwrap();
    let all = profiles.names().into_iter().filter_map(|name| profiles.get(name));
    all.flat_map(|profile| &profile.prompts).map(|prompt| schema::adapted(&prompt.schema)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_fits_is_never_changed(
        (schema, value) in proptest::sample::select(profiles()).prop_flat_map(|schema| {
            let value = fitting(&schema, false);
            (Just(schema), value)
        })
    ) {
        let validator = jsonschema::validator_for(&schema).unwrap();
        prop_assume!(validator.is_valid(&value));
        let form = Form { schema: &schema, validator: &validator };
        for text in [value.to_string(), format!("{value:#}")] {
            let reading = read(&text, &form).unwrap();
            prop_assert_eq!(&reading.value, &value);
            prop_assert!(reading.notes.is_empty() && !reading.cut);
        }
        // Inside of a fence and prose it is the same value, and the lenient parser reads strict JSON as it is.
        let fenced = read(&format!("Here:\n```json\n{value:#}\n```"), &form).unwrap();
        prop_assert_eq!(&fenced.value, &value);
        let lenient = lenient::parse(&value.to_string(), &schema).unwrap().0;
        prop_assert_eq!(&lenient.value, &value);
        prop_assert!(!lenient.guessed && !lenient.cut && lenient.notes.is_empty());
    }

    /// A cut answer is refused, or has less of what was there: never something else.
    #[test]
    fn what_is_cut_invents_nothing(
        (schema, value) in proptest::sample::select(profiles()).prop_flat_map(|schema| {
            let value = fitting(&schema, false);
            (Just(schema), value)
        }),
        share in 0.0..1.0_f64,
    ) {
        let validator = jsonschema::validator_for(&schema).unwrap();
        prop_assume!(validator.is_valid(&value));
        let text = value.to_string();
        let length = (text.chars().count() as f64 * share) as usize;
        let cut: String = text.chars().take(length).collect();
        if let Ok(reading) = read(&cut, &Form { schema: &schema, validator: &validator }) {
            prop_assert!(reading.cut);
            for (name, field) in reading.value.as_object().unwrap() {
                let before = &value[name];
                let shorter = field.as_array().zip(before.as_array()).is_some_and(|(part, all)| all.starts_with(part));
                prop_assert!(field == before || shorter);
            }
        }
    }

    /// One lost mark is put right or refused: nothing is said that was not said before.
    #[test]
    fn a_lost_mark_changes_nothing(
        (schema, value) in proptest::sample::select(profiles()).prop_flat_map(|schema| {
            let value = fitting(&schema, true);
            (Just(schema), value)
        }),
        share in 0.0..1.0_f64,
        added in proptest::sample::select(vec!["", "", "\"", ",", "}", "]", "{"]),
    ) {
        let validator = jsonschema::validator_for(&schema).unwrap();
        prop_assume!(validator.is_valid(&value));
        let text = value.to_string();
        let mut inside = false;
        let marks: Vec<usize> = text
            .char_indices()
            .filter(|(_, mark)| {
                inside ^= *mark == '"';
                *mark == '"' || (!inside && ",:{}[]".contains(*mark))
            })
            .map(|(at, _)| at)
            .collect();
        let at = marks[(marks.len() as f64 * share) as usize];
        let broken = format!("{}{added}{}", &text[..at], &text[at + 1..]);
        if let Ok(reading) = read(&broken, &Form { schema: &schema, validator: &validator }) {
            prop_assert!(reading.value == value || reading.cut, "{:?}: {}", reading.notes, broken);
        }
    }
}
