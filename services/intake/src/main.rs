//! Intake as a process of its own.

fn main() -> std::process::ExitCode {
    millrace_runtime::main_edge::<millrace_intake::Intake>()
}
