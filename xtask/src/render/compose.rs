//! The services of `docker-compose.yml`. What they have in common stands there by hand, under `x-service`.

use millrace_contract::Service;
use std::fmt::Write as _;

pub(super) fn part() -> String {
    let mut out = String::new();
    for &service in Service::ALL {
        let name = service.name();
        let _ = writeln!(out, "  {name}:\n    <<: *service\n    command: [millrace-{name}]");
        if let Some(port) = port(service) {
            let _ = writeln!(out, "    ports: [\"127.0.0.1:{port}:8080\"]");
        }
        let side_lanes = service.hop().side_lanes;
        // Without a value a secret is taken from the shell or from .env, and left out if it is in neither.
        let mut own: Vec<String> = secrets(service).iter().map(|secret| format!("{secret}:")).collect();
        if side_lanes.contains(&"ocr") {
            own.push("MILLRACE_EXTRACTION_OCR: lane".to_owned());
        }
        environment(&mut out, &own);
        for lane in side_lanes {
            // Its image has what that work needs besides.
            let _ = writeln!(
                out,
                "  {name}-{lane}:\n    <<: *service\n    image: millrace-{lane}\n    build:\n      context: .\n      \
                 dockerfile: deploy/Dockerfile\n      target: {lane}\n    command: [millrace-{name}]"
            );
            environment(&mut out, &[format!("MILLRACE_LANES: {lane}"), "MILLRACE_IN_FLIGHT: 2".to_owned()]);
        }
    }
    out
}

/// What a service alone has in its environment.
fn environment(out: &mut String, own: &[String]) {
    if !own.is_empty() {
        out.push_str("    environment:\n      <<: *environment\n");
        for line in own {
            let _ = writeln!(out, "      {line}");
        }
    }
}

/// Where a service's HTTP API is found on the machine that runs the containers.
fn port(service: Service) -> Option<u16> {
    match service {
        Service::Intake => Some(8080),
        Service::Status => Some(8081),
        _ => None,
    }
}

/// Secrets that this service alone may see.
fn secrets(service: Service) -> &'static [&'static str] {
    match service {
        Service::Inference => &["GEMINI_API_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY"],
        _ => &[],
    }
}
