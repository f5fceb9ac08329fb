//! Extraction as a process of its own; and, called by itself, the child that reads one document.

fn main() -> std::process::ExitCode {
    millrace_extraction::child_entry()
        .unwrap_or_else(millrace_runtime::main::<millrace_extraction::Extraction>)
}
