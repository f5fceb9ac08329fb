//! How a command that only reads files ends.

use std::process::ExitCode;

/// Prints what was found out. Ends with 0 if that is good and with 1 if not.
pub fn end(told: anyhow::Result<(String, bool)>) -> ExitCode {
    match told {
        Ok((told, good)) => {
            print!("{told}");
            if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
