//! The rules of the house, as failing tests: who may depend on whom, who may name what.

use millrace_testkit::root;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Direct, normal dependencies of every package of the workspace.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(root())
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata answers in JSON");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    metadata["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .map(|package| {
            let normal =
                package["dependencies"].as_array().into_iter().flatten().filter(|on| on["kind"].is_null());
            (text(&package["name"]), normal.map(|on| text(&on["name"])).collect())
        })
        .collect()
}

/// What is made for tests, and may know everything.
const FOR_TESTS: [&str; 4] = ["integration-tests", "millrace-bench", "millrace-testkit", "xtask"];

#[test]
fn only_these_name_these_clients() {
    for (client, may) in [
        ("async-nats", &["millrace-runtime"][..]),
        ("opentelemetry", &["millrace-runtime"][..]),
        ("opentelemetry_sdk", &["millrace-runtime"][..]),
        ("opentelemetry-otlp", &["millrace-runtime"][..]),
        ("redis", &["millrace-limits", "millrace-status"][..]),
        // Sanitization asks a plug-in for names.
        ("reqwest", &["millrace", "millrace-provider", "millrace-sanitization"][..]),
        ("object_store", &["millrace-intake"][..]),
    ] {
        for (package, on) in dependencies() {
            if on.contains(client) && !FOR_TESTS.contains(&package.as_str()) {
                assert!(may.contains(&package.as_str()), "{package} depends on {client}; only {may:?} may");
            }
        }
    }
}

#[test]
fn nothing_points_back() {
    let ours = |name: &str| name.starts_with("millrace");
    for (package, on) in dependencies() {
        let on: BTreeSet<&str> = on.iter().map(String::as_str).filter(|name| ours(name)).collect();
        let allowed: &[&str] = match package.as_str() {
            "millrace-contract" | "millrace-media" | "millrace-limits" | "millrace-pii"
            | "millrace-tokens" => &[],
            "millrace-stage" | "millrace-profile" | "millrace-provider" | "millrace-vault" => {
                &["millrace-contract"]
            }
            "millrace-runtime" => &["millrace-contract", "millrace-stage"],
            // One process with every service in it, and the tests.
            "millrace" => continue,
            package if FOR_TESTS.contains(&package) => continue,
            _ => &[
                "millrace-contract",
                "millrace-stage",
                "millrace-runtime",
                "millrace-profile",
                "millrace-media",
                // Sanitization and inference.
                "millrace-tokens",
                // Only extraction has it.
                "millrace-mapped",
                // Only sanitization has it.
                "millrace-pii",
                // Sanitization seals, status opens.
                "millrace-vault",
                // Only inference has it.
                "millrace-provider",
                // Inference and sanitization ask somebody outside.
                "millrace-limits",
            ],
        };
        for dependency in on {
            assert!(allowed.contains(&dependency), "{package} may not depend on {dependency}");
        }
    }
}

#[test]
fn only_inference_knows_providers() {
    for (package, on) in dependencies() {
        let knows = on.contains("millrace-provider");
        let may = package == "millrace-inference" || FOR_TESTS.contains(&package.as_str());
        assert!(may || !knows, "{package} knows model providers");
    }
}

#[test]
fn business_code_knows_no_transport() {
    let transport = [
        "nats",
        "jetstream",
        "redis",
        "opentelemetry",
        "otlp",
        "tokio::spawn",
        "millrace_runtime",
        "message id",
        "redeliver",
    ];
    for stage in ["extraction", "sanitization", "router", "inference", "validation"] {
        let path = root().join(format!("services/{stage}/src/lib.rs"));
        let text = std::fs::read_to_string(&path).unwrap();
        for word in transport {
            assert!(!text.to_lowercase().contains(word), "{} says {word:?}", path.display());
        }
        let lines = text.lines().count();
        assert!(lines <= 200, "{} has {lines} lines: a stage reads on one screen or two", path.display());
        assert!(
            text.contains("agrees::<") || stage == "router",
            "{} lacks its check against the table",
            path.display()
        );
    }
}

#[test]
fn every_service_starts_in_one_expression() {
    for stage in ["intake", "extraction", "sanitization", "router", "inference", "validation", "status"] {
        let text = std::fs::read_to_string(root().join(format!("services/{stage}/src/main.rs"))).unwrap();
        let code = text.lines().filter(|line| !line.starts_with("//")).collect::<String>();
        assert_eq!(code.matches(';').count(), 0, "services/{stage}/src/main.rs is more than an expression");
    }
}

#[test]
fn the_runtime_knows_no_documents() {
    for entry in std::fs::read_dir(root().join("crates/runtime/src")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap().to_lowercase();
        for word in ["pdf", "prompt", "schema", "contract.toml", "gemini", "redact"] {
            assert!(!text.contains(word), "{} says {word:?}", path.display());
        }
    }
}

#[test]
fn no_source_file_is_a_maze() {
    let output = Command::new("git").current_dir(root()).args(["ls-files", "*.rs"]).output();
    let Ok(output) = output else { return };
    for file in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(text) = std::fs::read_to_string(root().join(file)) else { continue };
        let lines = text.lines().count();
        assert!(lines <= 560, "{file} has {lines} lines; split it where it holds two things");
    }
}
