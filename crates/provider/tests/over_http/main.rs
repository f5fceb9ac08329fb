//! The adapters over HTTP, as inference uses them: what goes out, every row of the error taxonomy for each vendor for
//! which it exists, and everything that a network can do.

#![expect(clippy::unwrap_used, reason = "tests")]

mod answers;
mod errors;
mod network;
mod server;

use millrace_contract::ErrorCode;
use millrace_provider::{Failure, Usage, Vendor, taxonomy};
use server::{Scripted, Server, ask, client};
use std::collections::BTreeSet;
use std::time::Duration;

/// What must come of an answer.
struct Row {
    vendor: Vendor,
    what: &'static str,
    scripted: Scripted,
    code: ErrorCode,
    retry_after: Option<Duration>,
    usage: Usage,
    maybe_billed: bool,
}

fn row(vendor: Vendor, what: &'static str, scripted: Scripted, code: ErrorCode) -> Row {
    Row { vendor, what, scripted, code, retry_after: None, usage: Usage::default(), maybe_billed: false }
}

impl Row {
    fn after(self, wait: Duration) -> Row {
        Row { retry_after: Some(wait), ..self }
    }

    fn used(self, input: u64, cached: u64, output: u64) -> Row {
        Row { usage: Usage { input, cached, output, stored: 0 }, ..self }
    }

    fn maybe_billed(self) -> Row {
        Row { maybe_billed: true, ..self }
    }
}

#[tokio::test]
async fn every_row_of_the_taxonomy() {
    let server = Server::start().await;
    let http = client(&server.url, &[]);
    let rows: Vec<Row> = errors::rows().into_iter().chain(answers::rows()).collect();
    let mut asked = 0;
    for row in &rows {
        let name = format!("{}: {}", row.vendor, row.what);
        server.answer(row.scripted.clone());
        let failure = ask(&http, row.vendor).await.expect_err(&name);
        asked += 1;
        let Failure { code, message, retry_after, usage, maybe_billed } = failure;
        assert_eq!(code, row.code, "{name}: {message}");
        assert_eq!(retry_after, row.retry_after, "{name}");
        assert_eq!(usage, row.usage, "{name}");
        assert_eq!(maybe_billed, row.maybe_billed, "{name}");
        for secret in ["the-key", "secret document", "127.0.0.1", "http://", "LEAK"] {
            assert!(!message.contains(secret), "{name} says too much: {message}");
        }
        assert_eq!(server.seen().len(), asked, "{name} was asked more than once");
    }
    // What no server can say: `network` has those.
    let elsewhere = [ErrorCode::ProviderUnreachable, ErrorCode::ProviderNotConfigured];
    // Only Google recites; Anthropic's filter speaks after the model only.
    let absent = |vendor, code| {
        (code == ErrorCode::AnswerRecited && vendor != Vendor::Gemini)
            || (code == ErrorCode::ContentBlocked && vendor == Vendor::Anthropic)
    };
    let had: BTreeSet<_> = rows.iter().map(|row| (row.vendor, row.code)).collect();
    for meaning in taxonomy::TABLE.iter().filter(|meaning| !elsewhere.contains(&meaning.code)) {
        for &vendor in Vendor::ALL {
            assert_eq!(
                had.contains(&(vendor, meaning.code)),
                !absent(vendor, meaning.code),
                "{vendor}: {}",
                meaning.code
            );
        }
    }
}
