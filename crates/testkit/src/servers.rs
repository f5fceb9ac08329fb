//! Real servers, one of each for a test.

use crate::{free_port, root};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A nats-server with JetStream in a folder of its own.
pub struct Nats {
    process: Option<Child>,
    port: u16,
    synced: bool,
    extra: String,
    folder: TempDir,
}

/// A redis-server in a folder of its own.
pub struct Redis {
    process: Option<Child>,
    port: u16,
    folder: TempDir,
}

/// The program of that name: where `cargo xtask` puts it, or on the PATH.
///
/// # Panics
/// If there is none.
pub fn program(name: &str) -> PathBuf {
    let ours = root().join("target/tools/bin").join(name);
    if ours.is_file() {
        return ours;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
        .unwrap_or_else(|| {
            panic!("there is no {name}: run the tests with `cargo xtask test`, which installs it")
        })
}

fn spawn(command: &mut Command, port: u16, log: &Path) -> Child {
    let file = std::fs::File::create(log).unwrap_or_else(|error| panic!("{}: {error}", log.display()));
    let mut process = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(file)
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    let begun = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{command:?} does not listen on {port}");
        if let Ok(Some(status)) = process.try_wait() {
            panic!(
                "{command:?} ended at once ({status}): {}",
                std::fs::read_to_string(log).unwrap_or_default()
            );
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    process
}

fn kill(process: &mut Option<Child>) {
    if let Some(mut process) = process.take() {
        let _ = process.kill();
        let _ = process.wait();
    }
}

impl Nats {
    /// Starts a server.
    pub fn start() -> Nats {
        Nats::start_with("")
    }

    /// Starts a server that waits for the disk with every message.
    pub fn start_synced() -> Nats {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("no folder: {error}"));
        let mut nats = Nats { process: None, port: free_port(), synced: true, extra: String::new(), folder };
        nats.restart();
        nats
    }

    /// Starts a server with more lines in its configuration.
    pub fn start_with(extra: &str) -> Nats {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("no folder: {error}"));
        let mut nats =
            Nats { process: None, port: free_port(), synced: false, extra: extra.to_owned(), folder };
        nats.restart();
        nats
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        kill(&mut self.process);
    }

    /// Its process id.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Child::id)
    }

    /// Starts it again on the same port with the same store.
    pub fn restart(&mut self) {
        self.kill();
        let path = self.folder.path();
        let config = path.join("nats-server.conf");
        let text = format!(
            "host: 127.0.0.1\nport: {}\njetstream {{\n  store_dir: {:?}\n  {}\n}}\n{}\n",
            self.port,
            path.join("store"),
            if self.synced { "sync_interval: always" } else { "" },
            self.extra
        );
        std::fs::write(&config, text).unwrap_or_else(|error| panic!("{}: {error}", config.display()));
        let mut command = Command::new(program("nats-server"));
        command.arg("-c").arg(&config);
        self.process = Some(spawn(&mut command, self.port, &path.join("log")));
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Redis {
    /// Starts a server.
    pub fn start() -> Redis {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("no folder: {error}"));
        let mut redis = Redis { process: None, port: free_port(), folder };
        redis.restart();
        redis
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// Its process id.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Child::id)
    }

    /// `kill -9`; what it held is gone.
    pub fn kill(&mut self) {
        kill(&mut self.process);
    }

    /// Starts it again, empty, on the same port.
    pub fn restart(&mut self) {
        self.kill();
        let mut command = Command::new(program("redis-server"));
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        command.args(["--port", &self.port.to_string()]).arg("--dir").arg(self.folder.path());
        self.process = Some(spawn(&mut command, self.port, &self.folder.path().join("log")));
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}
