//! What each service may do at the broker, derived from the table: one user a service, and nothing that it does not do.
//!
//! Services with these rights make no streams (`MILLRACE_NO_PROVISION`): `millrace provision` does, as `operator`.

use crate::subject::{
    ADVISORY_STREAM, ARTIFACT_STREAM, INBOX, INBOX_STREAM, JOURNAL, JOURNAL_STREAM, VAULT, VAULT_STREAM,
};
use crate::{CHOREOGRAPHY, EventKind, Service};
use std::fmt::Write as _;

/// What a user may do; everything else is denied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions {
    /// Subjects that it may publish to: requests to the broker are published too.
    pub publish: Vec<String>,
    /// Subjects that it may subscribe to.
    pub subscribe: Vec<String>,
}

/// Whose artifacts a service reads besides its own.
const fn reads(service: Service) -> &'static [Service] {
    match service {
        Service::Intake | Service::Router => &[],
        Service::Extraction => &[Service::Intake],
        Service::Sanitization => &[Service::Extraction],
        Service::Inference => &[Service::Sanitization],
        Service::Validation => &[Service::Sanitization, Service::Inference],
        // The report, and the text whose values it puts back.
        Service::Status => &[Service::Validation, Service::Sanitization],
    }
}

impl Permissions {
    /// What a service may do.
    pub fn of(service: Service) -> Permissions {
        let mut may = Permissions::default();
        may.hear(service);
        may.say(service);
        may.keep(service);
        match service {
            // What is inside a document becomes an upload.
            Service::Extraction => {
                may.publish(format!("{INBOX}.*"));
                may.publish(artifact(Service::Intake.name()));
            }
            // It writes, and cannot read: not even what it wrote.
            Service::Sanitization => may.publish(format!("{VAULT}.>")),
            Service::Router => {
                may.consume(ADVISORY_STREAM, service.name());
                // The verdict of a service that died each time.
                for hop in CHOREOGRAPHY.iter().filter(|hop| !hop.says.is_empty()) {
                    may.publish(format!("$JS.API.DIRECT.GET.{}", hop.service.stream()));
                    may.publish.extend(hop.failed().map(said));
                }
                may.publish(format!("$JS.API.DIRECT.GET.{INBOX_STREAM}"));
            }
            Service::Inference => {
                may.publish(format!("{JOURNAL}.>"));
                may.read(JOURNAL_STREAM, &format!("{JOURNAL}.>"));
                // Answers that are too large for one message; and today's bill, which is followed as it grows.
                may.publish(artifact("journal"));
                may.read(ARTIFACT_STREAM, &artifact("journal"));
                may.publish(format!("$JS.API.CONSUMER.CREATE.{JOURNAL_STREAM}"));
                may.publish(format!("$JS.API.CONSUMER.CREATE.{JOURNAL_STREAM}.>"));
                for request in ["INFO", "DELETE", "MSG.NEXT"] {
                    may.publish(format!("$JS.API.CONSUMER.{request}.{JOURNAL_STREAM}.*"));
                }
            }
            Service::Status => {
                for hop in CHOREOGRAPHY.iter().filter(|hop| !hop.says.is_empty()) {
                    may.publish(format!("$JS.API.DIRECT.GET.{}", hop.service.stream()));
                }
                may.read(VAULT_STREAM, &format!("{VAULT}.>"));
                may.subscribe.push("millrace.progress.>".to_owned());
            }
            Service::Intake | Service::Validation => {}
        }
        may.publish.sort();
        may.publish.dedup();
        may
    }

    /// Pulls what it hears, settles it, parks it and hands it over.
    fn hear(&mut self, service: Service) {
        let hop = service.hop();
        self.subscribe.push(format!("_INBOX_{}.>", service.name()));
        for consumer in hop.consumers() {
            self.consume(&consumer.stream, service.name());
            for lane in hop.side_lanes {
                self.consume(&consumer.stream, &format!("{}-{lane}", service.name()));
            }
        }
        if service == Service::Intake {
            self.consume(INBOX_STREAM, service.name());
            self.publish(format!("{INBOX}-parked.>"));
        }
        // Status tries again in place.
        for kind in hop.hears.iter().filter(|_| service != Service::Status) {
            self.publish(format!("millrace.v1.parked.{}.>", kind.token()));
            if !hop.side_lanes.is_empty() {
                self.publish(format!("millrace.v1.handed.{}.>", kind.token()));
            }
        }
    }

    /// Says its events, and looks up what it has said; shows progress.
    fn say(&mut self, service: Service) {
        let hop = service.hop();
        self.publish.extend(hop.says.iter().copied().map(said));
        if !hop.says.is_empty() {
            self.publish(format!("$JS.API.DIRECT.GET.{}", service.stream()));
        }
        if hop.stage {
            self.publish("millrace.progress.>".to_owned());
        }
    }

    /// Leaves its own artifacts, and reads those that it works on.
    fn keep(&mut self, service: Service) {
        let hop = service.hop();
        let leaves = hop.stage || service == Service::Intake;
        if !leaves && reads(service).is_empty() {
            return;
        }
        // The rest of what is large: 128 random bits name it, and only the head tells them.
        self.read(ARTIFACT_STREAM, "millrace.chunk.>");
        for maker in reads(service) {
            self.read(ARTIFACT_STREAM, &artifact(maker.name()));
        }
        if leaves {
            for maker in [service.name().to_owned(), format!("{}-part", service.name())] {
                self.publish(artifact(&maker));
                self.read(ARTIFACT_STREAM, &artifact(&maker));
            }
            self.publish("millrace.chunk.>".to_owned());
            // Takes back the chunks of an upload that became nothing.
            self.publish(format!("$JS.API.STREAM.PURGE.{ARTIFACT_STREAM}"));
        }
    }

    fn publish(&mut self, subject: String) {
        self.publish.push(subject);
    }

    /// The last message on a subject: the only way of reading that can be allowed subject by subject.
    fn read(&mut self, stream: &str, subject: &str) {
        self.publish.push(format!("$JS.API.DIRECT.GET.{stream}.{subject}"));
    }

    fn consume(&mut self, stream: &str, durable: &str) {
        self.publish.push(format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"));
        self.publish.push(format!("$JS.ACK.{stream}.{durable}.>"));
    }
}

fn said(kind: EventKind) -> String {
    format!("millrace.v1.{}.>", kind.token())
}

fn artifact(maker: &str) -> String {
    format!("millrace.artifact.*.{maker}.>")
}

/// The users of nats-server, for its configuration. Passwords are its environment's: `$MILLRACE_NATS_INTAKE`.
pub fn nats_users() -> String {
    let mut out = String::from(
        "# Rendered from the choreography by `cargo xtask render`: who may do what. Include it in nats-server's configuration.\n\
         # Passwords come from the server's environment. Services sign in by NATS_URL (nats://intake:...@host:4222) and need\n\
         # MILLRACE_NO_PROVISION=true; `operator` provisions, replays and reads the ledger; `sender` announces uploads.\n\
         # Grant yourself: buckets that `nats-object:` sources name (to intake), consumers of lanes of your own (<service>-<lane>).\n\
         authorization {\n  users: [\n",
    );
    let mut user = |name: &str, may: &Permissions| {
        let list = |subjects: &[String]| {
            subjects.iter().map(|subject| format!("          \"{subject}\"\n")).collect::<String>()
        };
        let _ = write!(
            out,
            "    {{\n      user: \"{name}\", password: $MILLRACE_NATS_{}\n      permissions: {{\n        publish: {{ allow: [\n{}        \
             ] }}\n        subscribe: {{ allow: [\n{}        ] }}\n      }}\n    }}\n",
            name.to_uppercase(),
            list(&may.publish),
            list(&may.subscribe),
        );
    };
    for &service in Service::ALL {
        user(service.name(), &Permissions::of(service));
    }
    let replies = "_INBOX.>".to_owned();
    user("sender", &Permissions { publish: vec![format!("{INBOX}.*")], subscribe: vec![replies] });
    let all = || vec![">".to_owned()];
    user("operator", &Permissions { publish: all(), subscribe: all() });
    out.push_str("  ]\n}\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may(service: Service, subject: &str) -> bool {
        let covers = |allowed: &String| {
            let mut tokens = subject.split('.');
            for part in allowed.split('.') {
                match (part, tokens.next()) {
                    (">", Some(_)) => return true,
                    ("*", Some(_)) => {}
                    (part, Some(token)) if part == token => {}
                    _ => return false,
                }
            }
            tokens.next().is_none()
        };
        Permissions::of(service).publish.iter().any(covers)
    }

    #[test]
    fn each_says_what_is_its_own() {
        for &kind in EventKind::ALL {
            let subject = format!("millrace.v1.{}.default.acme.1", kind.token());
            for &service in Service::ALL {
                let on_behalf = service == Service::Router && kind.is_failure();
                assert_eq!(
                    may(service, &subject),
                    service == kind.speaker() || on_behalf,
                    "{} {kind:?}",
                    service.name()
                );
            }
        }
    }

    #[test]
    fn raw_text_and_the_vault_are_for_few() {
        let who = |subject: &str| -> Vec<&str> {
            Service::ALL
                .iter()
                .filter(|service| may(**service, subject))
                .map(|service| service.name())
                .collect()
        };
        let get = format!("$JS.API.DIRECT.GET.{ARTIFACT_STREAM}.millrace.artifact.acme");
        assert_eq!(who(&format!("{get}.intake.ab")), ["intake", "extraction"]);
        assert_eq!(who(&format!("{get}.extraction.ab")), ["extraction", "sanitization"]);
        assert_eq!(
            who(&format!("{get}.sanitization.ab")),
            ["sanitization", "inference", "validation", "status"]
        );
        assert_eq!(who("$KV.MILLRACE_VAULT.acme.k"), ["sanitization"]);
        assert_eq!(who("$JS.API.DIRECT.GET.KV_MILLRACE_VAULT.$KV.MILLRACE_VAULT.acme.k"), ["status"]);
        // Whoever may ask with a body reads whatever it likes of that stream.
        for stream in [ARTIFACT_STREAM, VAULT_STREAM] {
            assert!(who(&format!("$JS.API.DIRECT.GET.{stream}")).is_empty(), "{stream}");
            assert!(who(&format!("$JS.API.STREAM.MSG.GET.{stream}")).is_empty(), "{stream}");
            assert!(who(&format!("$JS.API.CONSUMER.CREATE.{stream}.x")).is_empty(), "{stream}");
        }
        assert_eq!(who("$JS.API.CONSUMER.MSG.NEXT.MILLRACE_INTAKE.extraction-ocr"), ["extraction"]);
        assert_eq!(who("$JS.API.STREAM.DELETE.MILLRACE_INTAKE"), [""; 0]);
    }
}
