use super::*;

fn at(date: &str) -> SystemTime {
    humantime::parse_rfc3339(&format!("{date}T12:00:00Z")).unwrap()
}

fn usage(input: u64, cached: u64, output: u64) -> Usage {
    Usage { input, cached, output, stored: 0 }
}

#[test]
fn the_built_in_list_is_priced_for_years() {
    let models = Models::load(None).unwrap();
    for alias in ["pro", "flash", "lite", "planner", "other", "claude"] {
        assert!(models.get(alias).is_some(), "{alias}");
    }
    for alias in models.aliases() {
        for day in ["2026-10-07", "2026-12-31", "2027-01-01", "2030-01-01"] {
            let model = models.resolve(alias, at(day)).unwrap();
            assert!(model.cost(usage(1000, 0, 100), Tier::Standard, at(day)) > Some(0), "{alias} {day}");
            assert!(u64::from(model.max_output) <= model.window, "{alias}");
        }
    }
}

#[test]
fn costs_are_exact_and_rounded_up() {
    let models = Models::load(None).unwrap();
    let cost = |alias: &str, used, tier, day| models.get(alias).unwrap().cost(used, tier, at(day)).unwrap();
    let day = "2026-11-26";
    // 16,000 x 1.25 + 4,000 x 0.125 + 1,200 x 10
    assert_eq!(cost("pro", usage(20_000, 4_000, 1_200), Tier::Standard, day), 20_000 + 500 + 12_000);
    // Half, but for what was cached.
    assert_eq!(cost("pro", usage(20_000, 4_000, 1_200), Tier::Flex, day), 10_000 + 500 + 6_000);
    assert_eq!(cost("pro", usage(1, 0, 0), Tier::Standard, day), 2);
    assert_eq!(cost("flash", usage(0, 0, 0), Tier::Standard, day), 0);
    // The step is above 200k, and then for the whole call.
    assert_eq!(cost("pro", usage(200_000, 0, 100), Tier::Standard, day), 250_000 + 1_000);
    assert_eq!(cost("pro", usage(200_001, 0, 100), Tier::Standard, day), 500_003 + 1_500);
    // More cached than asked: a provider's slip must not become a huge number.
    assert_eq!(cost("pro", usage(8, 80, 0), Tier::Standard, day), 1);
    // No cheaper tier, no discount.
    assert_eq!(cost("claude", usage(10, 0, 1), Tier::Flex, day), 15);
}

#[test]
fn a_promotion_ends_at_midnight() {
    let models = Models::load(None).unwrap();
    let model = models.get("flash-next").unwrap();
    let used = usage(1_000_000, 0, 0);
    assert_eq!(model.cost(used, Tier::Standard, at("2026-12-31")), Some(750_000));
    assert_eq!(model.cost(used, Tier::Standard, at("2027-01-01")), Some(1_500_000));
}

const LOCAL: &str = "[aliases]\nlocal = \"qwen\"\n[[model]]\nname = \"qwen\"\nvendor = \"openai\"\nwindow = 32768\n\
                     max_output = 4096\nschema = \"json\"\nlimit = \"max_tokens\"\n";

#[test]
fn no_price_no_call() {
    let today = at("2026-11-26");
    let models = Models::parse(LOCAL, "models.toml").unwrap();
    let failure = models.resolve("local", today).unwrap_err();
    assert_eq!(failure.code, ErrorCode::ModelUnknown);
    assert!(failure.message.contains("models.toml"), "{failure}");
    let failure = models.resolve("gpt-9", today).unwrap_err();
    assert!(failure.message.contains("models.toml; known: local"), "{failure}");

    let text = format!("{LOCAL}price = \"unknown\"\n");
    let models = Models::parse(&text, "models.toml").unwrap();
    let model = models.resolve("local", today).unwrap();
    assert_eq!(model.cost(usage(1, 1, 1), Tier::Standard, today), None);
    assert_eq!((model.schema, model.limit), (SchemaMode::Json, LimitField::MaxTokens));

    let text = format!(
        "{LOCAL}[[price]]\nmodel = \"qwen\"\nvalid_from = 2026-01-01\nvalid_until = 2026-11-25\n\
         input = 1.0\noutput = 1.0\ncached_input = 1.0\n"
    );
    let models = Models::parse(&text, "models.toml").unwrap();
    assert!(models.resolve("local", at("2026-11-25")).is_ok());
    assert!(models.resolve("local", today).is_err());
}

#[test]
fn mistakes_name_their_line() {
    let price = "[[price]]\nmodel = \"qwen\"\nvalid_from = 2026-01-01\ninput = 1.0\noutput = 1.0\ncached_input = 1.0\n";
    let cases = [
        (LOCAL.replace("schema", "shcema"), "line 8"),
        (LOCAL.replace("\"openai\"", "\"opneai\""), "line 4: there is no vendor"),
        (LOCAL.replace("local = \"qwen\"", "local = \"gwen\""), "line 2: there is no [[model]]"),
        (LOCAL.replace("name = \"qwen\"", "name = \"qwen/../x\""), "line 4"),
        (format!("{LOCAL}thinking = {{ budget = 0 }}\n"), "line 4"),
        (format!("{LOCAL}price = \"free\"\n"), "line 4: price can only be"),
        (format!("{LOCAL}{price}{price}"), "line 17: two prices"),
        (format!("{LOCAL}{}", price.replace("input = 1.0", "input = -1.0")), "line 11: -1 is not a price"),
        (format!("{LOCAL}{}", price.replace("2026-01-01", "2026-01-01T00:00:00Z")), "line 11"),
        (format!("{LOCAL}{}", price.replace("qwen", "gwen")), "line 11: there is no [[model]]"),
        (format!("{LOCAL}price = \"unknown\"\n{price}"), "line 12: the price"),
    ];
    for (text, expected) in cases {
        let error = format!("{:#}", Models::parse(&text, "models.toml").unwrap_err());
        assert!(error.contains("models.toml") && error.contains(expected), "{expected}: {error}");
    }
}
