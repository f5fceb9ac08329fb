//! The router as a process of its own.

fn main() -> std::process::ExitCode {
    millrace_runtime::main_router::<millrace_router::Router>()
}
