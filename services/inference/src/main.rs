//! Inference as a process of its own.

fn main() -> std::process::ExitCode {
    millrace_runtime::main::<millrace_inference::Inference>()
}
