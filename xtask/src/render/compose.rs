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
        let own = secrets(service);
        if !own.is_empty() {
            out.push_str("    environment:\n      <<: *environment\n");
            for secret in own {
                // Without a value it is taken from the shell or from .env, and left out if it is in neither.
                let _ = writeln!(out, "      {secret}:");
            }
        }
    }
    out
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
