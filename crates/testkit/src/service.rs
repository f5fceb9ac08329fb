//! Services as processes of their own.

use crate::{eventually, free_port, root};
use rustix::process::{Pid, Signal, kill_process};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

/// A running service.
pub struct Service {
    name: String,
    process: Option<Child>,
    environment: Vec<(String, String)>,
    ops: u16,
    http: u16,
    log: tempfile::NamedTempFile,
}

/// A binary of this workspace, built for the tests.
///
/// # Panics
/// If it has not been built.
pub fn binary(name: &str) -> PathBuf {
    // Tests lie in target/<profile>/deps, binaries one folder above.
    let test = std::env::current_exe().unwrap_or_else(|error| panic!("{error}"));
    let beside = test.parent().and_then(|deps| deps.parent()).map(|folder| folder.join(name));
    let found = beside.filter(|path| path.is_file()).or_else(|| {
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
        let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
        Some(target.join(profile).join(name)).filter(|path| path.is_file())
    });
    found.unwrap_or_else(|| {
        panic!("{name} is not built: run `cargo build --workspace --bins`, or `cargo xtask test`")
    })
}

impl Service {
    /// Starts `millrace-<name>`; does not wait for it.
    pub fn start(name: &str, environment: &[(&str, &str)]) -> Service {
        let log = tempfile::NamedTempFile::new().unwrap_or_else(|error| panic!("{error}"));
        let environment =
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut service = Service {
            name: name.to_owned(),
            process: None,
            environment,
            ops: free_port(),
            http: free_port(),
            log,
        };
        service.restart();
        service
    }

    /// Starts it again, after it ended, with the same addresses.
    pub fn restart(&mut self) {
        self.kill();
        let log = std::fs::OpenOptions::new().append(true).open(self.log.path());
        let log = log.unwrap_or_else(|error| panic!("{error}"));
        let program = binary(&format!("millrace-{}", self.name));
        let process = Command::new(&program)
            .env("MILLRACE_OPS_ADDR", format!("127.0.0.1:{}", self.ops))
            .env("MILLRACE_HTTP_ADDR", format!("127.0.0.1:{}", self.http))
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display()));
        self.process = Some(process);
    }

    /// Waits for `/readyz`.
    pub async fn ready(&self) -> &Service {
        let url = format!("http://127.0.0.1:{}/readyz", self.ops);
        eventually(&format!("{} to be ready", self.name), || async {
            assert!(self.alive(), "{} ended at once; its log:\n{}", self.name, self.log());
            let response = reqwest::get(&url).await.ok()?;
            response.status().is_success().then_some(())
        })
        .await;
        self
    }

    /// Whether its process still runs.
    pub fn alive(&self) -> bool {
        let state = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap_or_default();
        let state =
            state.rsplit(')').next().and_then(|rest| rest.split_whitespace().next().map(str::to_owned));
        state.is_some_and(|state| state != "Z")
    }

    /// Base URL of its HTTP API.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.http)
    }

    /// What a probe or `/metrics` says, with its status.
    pub async fn probe(&self, path: &str) -> (u16, String) {
        let url = format!("http://127.0.0.1:{}{path}", self.ops);
        match reqwest::get(&url).await {
            Ok(response) => (response.status().as_u16(), response.text().await.unwrap_or_default()),
            Err(error) => (0, error.to_string()),
        }
    }

    /// Its process id; 0 if it is not running.
    pub fn pid(&self) -> u32 {
        self.process.as_ref().map_or(0, Child::id)
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        if let Some(pid) = i32::try_from(self.pid()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, signal);
        }
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// SIGTERM, and how it ended.
    pub async fn terminate(&mut self) -> Option<ExitStatus> {
        self.signal(Signal::TERM);
        self.ended().await
    }

    /// Waits for it to end by itself.
    pub async fn ended(&mut self) -> Option<ExitStatus> {
        let mut process = self.process.take()?;
        tokio::task::spawn_blocking(move || process.wait()).await.ok()?.ok()
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap_or_default()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let log = self.log();
            let last: Vec<&str> = log.lines().rev().take(40).collect();
            let last: Vec<&str> = last.into_iter().rev().collect();
            #[expect(clippy::print_stderr, reason = "a failed test shows what its services said")]
            {
                eprintln!("--- {} said last:\n{}", self.name, last.join("\n"));
            }
        }
    }
}
