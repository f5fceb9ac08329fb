//! Servers that `millrace up` starts must not outlive it, not even a `kill -9`. The kernel sends them SIGTERM when
//! their parent dies; asking for that needs code between fork and exec, so we exec ourselves first.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

/// Start a program that ends when its parent does.
#[derive(Debug, clap::Args)]
pub struct Guard {
    /// The parent's process id
    #[arg(long)]
    parent: u32,
    /// The program and its arguments
    #[arg(trailing_var_arg = true, required = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

impl Guard {
    pub fn run(self) -> ExitCode {
        #[cfg(target_os = "linux")]
        {
            use rustix::process::{Signal, getppid, set_parent_process_death_signal};
            if let Err(error) = set_parent_process_death_signal(Some(Signal::TERM)) {
                eprintln!("cannot tie this process to its parent: {error}");
            }
            // The parent may have died before we asked.
            let parent = getppid().map_or(0, |pid| pid.as_raw_nonzero().get().unsigned_abs());
            if parent != self.parent {
                return ExitCode::FAILURE;
            }
        }
        let Some((program, arguments)) = self.command.split_first() else { return ExitCode::FAILURE };
        let error = Command::new(program).args(arguments).exec();
        eprintln!("cannot start {}: {error}", program.to_string_lossy());
        ExitCode::FAILURE
    }
}

/// A command that starts `program` under guard.
pub fn guarded(program: &std::path::Path) -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("guard").arg("--parent").arg(std::process::id().to_string()).arg("--").arg(program);
    Ok(command)
}
