//! The diagram and the table in `ARCHITECTURE.md`.

use millrace_contract::render;

pub(super) fn part() -> String {
    format!("\n```mermaid\n{}```\n\n{}\n", render::mermaid(), render::table())
}
