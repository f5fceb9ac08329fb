use super::*;
use std::path::Path;

fn source() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A thing",
        "type": "object",
        "additionalProperties": false,
        "required": ["title", "x-ray", "kind"],
        "x-offline": {"lead": 3},
        "properties": {
            "title": {"type": "string", "description": "As written.", "minLength": 1, "maxLength": 80},
            "x-ray": {"type": ["string", "null"], "pattern": "^a", "format": "date"},
            "kind": {"type": "string", "enum": ["a", "b"], "x-offline": {}},
            "const": {"const": 1},
            "items": {"type": "array", "minItems": 1, "maxItems": 9, "items": {"type": "number", "minimum": 0}}
        }
    })
}

/// An object in an object, `depth` times.
fn nested(depth: usize) -> Value {
    let inner = if depth == 1 { json!({"type": "string"}) } else { nested(depth - 1) };
    json!({"type": "object", "description": depth, "additionalProperties": false, "required": ["a"],
           "properties": {"a": inner}})
}

#[test]
fn openai_gets_closed_objects_with_everything_required() {
    let expected = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["title", "x-ray", "kind", "const", "items"],
        "properties": {
            "title": {"type": "string", "description": "As written."},
            "x-ray": {"type": ["string", "null"]},
            "kind": {"type": "string", "enum": ["a", "b"]},
            "const": {"enum": [1, null]},
            "items": {"type": ["array", "null"], "items": {"type": "number"}}
        }
    });
    assert_eq!(lower(&source(), Vendor::OpenAi, Shape::Schema), expected);
    assert_eq!(
        lower(&json!({"type": "object"}), Vendor::OpenAi, Shape::Schema)["additionalProperties"],
        false
    );
}

#[test]
fn anthropic_gets_constraints_in_words() {
    let expected = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["title", "x-ray", "kind"],
        "properties": {
            "title": {"type": "string", "description": "As written. (minLength: 1; maxLength: 80)"},
            "x-ray": {"type": ["string", "null"], "format": "date", "description": "(pattern: ^a)"},
            "kind": {"type": "string", "enum": ["a", "b"]},
            "const": {"enum": [1]},
            "items": {"type": "array", "minItems": 1, "items": {"type": "number", "description": "(minimum: 0)"},
                      "description": "(maxItems: 9)"}
        }
    });
    assert_eq!(lower(&source(), Vendor::Anthropic, Shape::Schema), expected);
}

#[test]
fn gemini_gets_the_shape_alone() {
    let expected = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["title", "x-ray", "kind"],
        "properties": {
            "title": {"type": "string", "description": "As written."},
            "x-ray": {"type": ["string", "null"]},
            "kind": {"type": "string", "enum": ["a", "b"]},
            "const": {"enum": [1]},
            "items": {"type": "array", "items": {"type": "number"}}
        }
    });
    assert_eq!(lower(&source(), Vendor::Gemini, Shape::Schema), expected);
}

#[test]
fn in_the_question_everything_stands_but_our_annotations() {
    for &vendor in Vendor::ALL {
        let lowered = lower(&source(), vendor, Shape::Json);
        assert_eq!(lowered["properties"]["title"]["maxLength"], 80);
        assert_eq!(lowered["properties"]["x-ray"]["pattern"], "^a");
        let text = lowered.to_string();
        assert!(!text.contains("x-offline") && !text.contains("$schema"), "{text}");
    }
}

#[test]
fn the_simple_shape_is_short_and_flat() {
    let long: Vec<u32> = (0..=20).collect();
    let schema = json!({"type": "object", "required": ["short", "long"], "properties": {
        "short": {"type": "integer", "enum": &long[1..], "description": "d"},
        "long": {"type": "integer", "enum": long, "description": "d"},
    }});
    for &vendor in Vendor::ALL {
        let lowered = lower(&schema, vendor, Shape::Simple);
        assert_eq!(lowered["properties"]["short"]["enum"].as_array().unwrap().len(), 20);
        assert_eq!(lowered["properties"]["long"].get("enum"), None);
        assert_eq!(lowered["properties"]["short"].get("description"), None);
        let words = lowered["properties"]["long"]["description"].as_str().unwrap();
        assert!(words.starts_with("One of: 0, 1, 2,") && words.ends_with(", 19, 20"), "{words}");
    }
    let third = "/properties/a/properties/a";
    for vendor in [Vendor::Gemini, Vendor::OpenAi] {
        let lowered = lower(&nested(5), vendor, Shape::Simple);
        let kept = lowered.pointer(third).unwrap();
        assert_eq!(kept["properties"]["a"], json!({"type": "object"}), "{vendor}");
        assert_eq!(kept["additionalProperties"], false);
    }
    // Closed all the way down: it refuses anything else.
    let lowered = lower(&nested(5), Vendor::Anthropic, Shape::Simple);
    assert!(lowered.pointer(&format!("{third}/properties/a/properties/a/properties/a")).is_some());
}

#[test]
fn one_of_several_and_one_of_one() {
    let schema = json!({"oneOf": [{"type": "string", "maxLength": 3}, {"allOf": [{"type": "integer", "minimum": 1}]}]});
    let expected = json!({"anyOf": [{"type": "string"}, {"type": "integer"}]});
    assert_eq!(lower(&schema, Vendor::Gemini, Shape::Schema), expected);
    let optional = json!({"type": "object", "properties": {"a": schema}});
    let lowered = lower(&optional, Vendor::OpenAi, Shape::Schema);
    assert_eq!(lowered["properties"]["a"]["anyOf"][2], json!({"type": "null"}));
}

/// Only keywords from the list of the provider, everywhere; all objects closed.
fn check(schema: &Value, allowed: &[&str]) {
    let fields = schema.as_object().unwrap();
    for (name, value) in fields {
        assert!(allowed.contains(&name.as_str()), "{name}");
        match (name.as_str(), value) {
            ("properties", Value::Object(properties)) => properties.values().for_each(|p| check(p, allowed)),
            ("items", item) => check(item, allowed),
            _ => {}
        }
    }
    if let Some(Value::Object(properties)) = fields.get("properties") {
        assert_eq!(fields["additionalProperties"], false);
        assert_eq!(fields["required"].as_array().unwrap().len(), properties.len());
    }
}

#[test]
fn the_shipped_schemas_are_lowered_for_everybody() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles");
    let mut seen = 0;
    for folder in root.read_dir().unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        for file in folder.read_dir().unwrap().map(|entry| entry.unwrap().path()) {
            if !file.to_string_lossy().ends_with(".schema.json") {
                continue;
            }
            seen += 1;
            let schema: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
            for &vendor in Vendor::ALL {
                for shape in [Shape::Schema, Shape::Simple] {
                    let lowered = lower(&schema, vendor, shape);
                    check(&lowered, &[SHAPE, &["minItems", "format"]].concat());
                    assert_eq!(lowered.to_string(), lower(&schema, vendor, shape).to_string());
                }
            }
        }
    }
    assert!(seen > 0, "no schema was found");
}

#[test]
fn a_schema_that_anthropic_does_not_serve_stands_in_the_question() {
    let nullable = |count: usize| {
        let properties: serde_json::Map<String, Value> =
            (0..count).map(|at| (format!("p{at}"), json!({"type": ["string", "null"]}))).collect();
        json!({"type": "object", "properties": properties})
    };
    assert!(is_served(&nullable(16), Vendor::Anthropic) && !is_served(&nullable(17), Vendor::Anthropic));
    assert!(is_served(&nullable(17), Vendor::Gemini));
}
