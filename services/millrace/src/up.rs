//! `millrace up`: the whole system on one machine.

use crate::client;
use crate::guard::guarded;
use crate::vault;
use anyhow::{Context as _, bail};
use millrace_extraction::Extraction;
use millrace_inference::Inference;
use millrace_intake::Intake;
use millrace_router::Router;
use millrace_runtime::{Node, Settings, Threads, block_on, stopped};
use millrace_sanitization::Sanitization;
use millrace_stage::{Decider as _, Stage as _};
use millrace_status::StatusService;
use millrace_validation::Validation;
use serde_json::json;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// Run every service in this process; starts nats-server and redis-server unless told where they are.
#[derive(Debug, clap::Args)]
pub struct Up {
    /// Where the log, the artifacts and the addresses of what runs are kept
    #[arg(long, env = "MILLRACE_DATA", default_value = "data")]
    data: PathBuf,
    /// Use this NATS server instead of starting one
    #[arg(long, env = "NATS_URL", hide_env_values = true)]
    nats: Option<String>,
    /// Use this Redis instead of starting one
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    redis: Option<String>,
    /// Address of the HTTP API: upload, status, reports
    #[arg(long, env = "MILLRACE_HTTP_ADDR", default_value = "127.0.0.1:8080")]
    http: SocketAddr,
    /// Address of /livez, /readyz and /metrics
    #[arg(long, env = "MILLRACE_OPS_ADDR", default_value = "127.0.0.1:9090")]
    ops: SocketAddr,
    /// Wait for the disk with every event (a started nats-server only): safe against power loss, and slower
    #[arg(long, env = "MILLRACE_SYNC", default_value = "always", value_parser = ["always", "default"])]
    sync: String,
    #[command(flatten)]
    services: Services,
}

/// The services' own options.
#[derive(Debug, clap::Args)]
#[group(skip)]
struct Services {
    #[command(flatten)]
    intake: Shared,
    #[command(flatten)]
    extraction: millrace_extraction::Options,
    #[command(flatten)]
    sanitization: millrace_sanitization::Settings,
    #[command(flatten)]
    router: millrace_router::Settings,
    #[command(flatten)]
    inference: millrace_inference::Settings,
    /// How long the hash of a finished job stays
    #[arg(long, env = "MILLRACE_STATUS_TTL", default_value = "7d", value_parser = humantime::parse_duration)]
    status_ttl: Duration,
    #[command(flatten)]
    restore: millrace_status::restore::Settings,
    /// Lease on a delivery [default: the choreography's]
    #[arg(long, env = "MILLRACE_ACK_WAIT", value_parser = humantime::parse_duration)]
    ack_wait: Option<Duration>,
    /// First pause after a failure that may pass
    #[arg(long, env = "MILLRACE_BACKOFF", default_value = "2s", value_parser = humantime::parse_duration)]
    backoff: Duration,
    /// Time to finish what is at work when told to stop
    #[arg(long, env = "MILLRACE_GRACE", default_value = "25s", value_parser = humantime::parse_duration)]
    grace: Duration,
    /// Log lines for people (text) or for machines (json)
    #[arg(long, env = "MILLRACE_LOG_FORMAT", default_value = "text", value_parser = ["text", "json"])]
    log_format: String,
}

/// Intake's options that are not the profiles, which inference names for all.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
struct Shared {
    /// Largest document, in bytes
    #[arg(long, env = "MILLRACE_MAX_UPLOAD", default_value_t = 100 * 1024 * 1024)]
    max_upload: u64,
    /// Whose jobs HTTP uploads are
    #[arg(long, env = "MILLRACE_TENANT", default_value = "default")]
    tenant: millrace_contract::Tenant,
    /// Folders that `file:` sources may name; none by default
    #[arg(long = "allow-dir", env = "MILLRACE_ALLOW_DIRS", value_delimiter = ':')]
    allow_dirs: Vec<PathBuf>,
    /// Buckets that `s3:`, `gs:` and `az:` sources may name; none by default
    #[arg(long = "allow-bucket", env = "MILLRACE_ALLOW_BUCKETS", value_delimiter = ',')]
    allow_buckets: Vec<String>,
    /// File with the public key that passwords of documents are sealed for [default: one is made in the data folder]
    #[arg(long, env = "MILLRACE_PASSWORD_PUBLIC_KEY_FILE")]
    password_public_key_file: Option<PathBuf>,
}

impl Services {
    /// Passwords of documents are sealed even within one process: their events lie on the disk.
    fn seal_passwords(&mut self, data: &Path) -> anyhow::Result<()> {
        match (&self.intake.password_public_key_file, &self.extraction.password_key_file) {
            (Some(_), Some(_)) => return Ok(()),
            (None, None) => {}
            _ => bail!("MILLRACE_PASSWORD_PUBLIC_KEY_FILE and MILLRACE_PASSWORD_KEY_FILE belong together"),
        }
        let folder = data.join("passwords");
        let (public, secret) = vault::files(&folder);
        if !public.exists() {
            vault::make(&folder)?;
        }
        self.intake.password_public_key_file = Some(public);
        self.extraction.password_key_file = Some(secret);
        Ok(())
    }
}

impl Up {
    pub fn run(self) -> ExitCode {
        match self.start() {
            Ok(code) => code,
            Err(error) => {
                eprintln!("millrace up: {error:#}");
                ExitCode::FAILURE
            }
        }
    }

    fn start(self) -> anyhow::Result<ExitCode> {
        std::fs::create_dir_all(&self.data)
            .with_context(|| format!("cannot make {}", self.data.display()))?;
        let data = self.data.canonicalize()?;
        // Servers are started from the main thread: the kernel ties them to the thread that started them.
        let mut servers = Servers::default();
        let nats_url = match &self.nats {
            Some(url) => url.clone(),
            None => servers.nats(&data, &self.sync)?,
        };
        let redis_url = match &self.redis {
            Some(url) => url.clone(),
            None => servers.redis(&data)?,
        };
        let settings = Settings {
            nats_url: nats_url.clone(),
            nats_nkey_file: None,
            ops_addr: self.ops,
            http_addr: self.http,
            lanes: Vec::new(),
            in_flight: None,
            ack_wait: self.services.ack_wait,
            deadline: None,
            backoff: self.services.backoff,
            grace: self.services.grace,
            log_max_age: Duration::from_secs(7 * 24 * 3600),
            artifact_max_age: Duration::from_secs(30 * 24 * 3600),
            stream_replicas: 1,
            no_provision: false,
            log_format: self.services.log_format.clone(),
        };
        millrace_runtime::start_logging(&settings);
        let mut services = self.services;
        services.seal_passwords(&data)?;
        let code = block_on(Threads::PerCore, async move {
            let node = Node::start(settings, "up").await?;
            let profiles = services.inference.profiles.clone();
            node.stage(Extraction::new(services.extraction)?).await?;
            node.stage(Sanitization::new(services.sanitization)?).await?;
            node.router(Router::new(services.router)?).await?;
            node.stage(Inference::new(services.inference.sharing_limits_by(&redis_url))?).await?;
            let validation = millrace_validation::Settings {
                profiles: profiles.clone(),
                repair: millrace_validation::Repairing::On,
            };
            node.stage(Validation::new(validation)?).await?;
            let intake = millrace_intake::Settings {
                max_upload: services.intake.max_upload,
                tenant: services.intake.tenant,
                allow_dirs: services.intake.allow_dirs,
                allow_buckets: services.intake.allow_buckets,
                password_public_key_file: services.intake.password_public_key_file,
                profiles,
                status_url: String::new(),
            };
            let status = millrace_status::Settings {
                redis_url: redis_url.clone(),
                status_ttl: services.status_ttl,
                restore: services.restore,
            };
            let routes = node.edge::<Intake>(intake).await?.merge(node.edge::<StatusService>(status).await?);
            let http = node.serve(routes).await?;
            node.ready();
            let written = json!({ "http": format!("http://{http}"), "nats": nats_url, "redis": redis_url });
            std::fs::write(data.join(client::RUNNING), format!("{written:#}\n"))?;
            tracing::info!(
                "ready: upload to http://{http}/v1/jobs, or publish to millrace.inbox.<tenant> on {nats_url}"
            );
            stopped().await;
            tracing::info!("draining");
            let whole = node.drain().await;
            tracing::info!(whole, "stopped");
            // Gone with us: nobody shall look for us there.
            std::fs::remove_file(data.join(client::RUNNING))?;
            Ok(())
        });
        drop(servers);
        Ok(code)
    }
}

/// Servers that we started, and end.
#[derive(Default)]
struct Servers(Vec<(Child, &'static str)>);

impl Servers {
    fn nats(&mut self, data: &Path, sync: &str) -> anyhow::Result<String> {
        let program = find("nats-server", "MILLRACE_NATS_SERVER")?;
        let port = free_port()?;
        let store = data.join("nats");
        std::fs::create_dir_all(&store)?;
        end_leftover(&store.join("pid"), "nats-server")?;
        let config = store.join("nats-server.conf");
        let sync = if sync == "always" { "sync_interval: always" } else { "" };
        std::fs::write(
            &config,
            format!(
                "# Written by `millrace up`.\nhost: 127.0.0.1\nport: {port}\npid_file: {:?}\nlog_file: {:?}\n\
                 max_payload: 1MB\njetstream {{\n  store_dir: {:?}\n  {sync}\n}}\n",
                store.join("pid"),
                store.join("log"),
                store.join("jetstream"),
            ),
        )?;
        let mut command = guarded(&program)?;
        command.arg("-c").arg(&config);
        self.spawn(command, "nats-server")?;
        self.answers(port, "nats-server", &store.join("log"))?;
        Ok(format!("nats://127.0.0.1:{port}"))
    }

    fn redis(&mut self, data: &Path) -> anyhow::Result<String> {
        let program = find("redis-server", "MILLRACE_REDIS_SERVER")?;
        let port = free_port()?;
        let store = data.join("redis");
        std::fs::create_dir_all(&store)?;
        end_leftover(&store.join("pid"), "redis-server")?;
        let mut command = guarded(&program)?;
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--daemonize", "no"]);
        command.args(["--port", &port.to_string()]).arg("--dir").arg(&store);
        command.arg("--pidfile").arg(store.join("pid")).arg("--logfile").arg(store.join("log"));
        self.spawn(command, "redis-server")?;
        self.answers(port, "redis-server", &store.join("log"))?;
        Ok(format!("redis://127.0.0.1:{port}/0"))
    }

    fn spawn(&mut self, mut command: Command, name: &'static str) -> anyhow::Result<()> {
        use std::os::unix::process::CommandExt as _;
        // A group of its own: Ctrl-C in the terminal is for us, who then end it after the drain.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit()).process_group(0);
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        self.0.push((child, name));
        Ok(())
    }

    fn answers(&mut self, port: u16, name: &str, log: &Path) -> anyhow::Result<()> {
        let patience = Instant::now() + Duration::from_secs(30);
        loop {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(());
            }
            if let Some((child, _)) = self.0.last_mut()
                && let Some(status) = child.try_wait()?
            {
                bail!("{name} ended at once ({status}); its log is {}", log.display());
            }
            if Instant::now() > patience {
                bail!("{name} does not answer after 30 s; its log is {}", log.display());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        use rustix::process::{Pid, Signal, kill_process};
        for (child, _) in &self.0 {
            if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
                let _ = kill_process(pid, Signal::TERM);
            }
        }
        for (child, name) in &mut self.0 {
            if let Err(error) = child.wait() {
                eprintln!("{name}: {error}");
            }
        }
    }
}

/// A server of ours that outlived its parent (where the kernel could not end it) holds the store: end it first.
fn end_leftover(pid_file: &Path, name: &str) -> anyhow::Result<()> {
    use rustix::process::{Pid, Signal, kill_process};
    let Ok(text) = std::fs::read_to_string(pid_file) else { return Ok(()) };
    let Some(pid) = text.trim().parse().ok().and_then(Pid::from_raw) else { return Ok(()) };
    let command = format!("/proc/{}/cmdline", pid.as_raw_nonzero());
    let ours = |store: &Path| {
        std::fs::read(&command).is_ok_and(|line| {
            let line = String::from_utf8_lossy(&line).into_owned();
            line.contains(name) || line.contains(&store.to_string_lossy().into_owned())
        })
    };
    let store = pid_file.parent().unwrap_or(pid_file);
    if !ours(store) {
        return Ok(());
    }
    let _ = kill_process(pid, Signal::TERM);
    let patience = Instant::now() + Duration::from_secs(10);
    while ours(store) {
        if Instant::now() > patience {
            bail!("{name} (process {}) still holds {}", pid.as_raw_nonzero(), store.display());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// A program by the path that a variable names, or on the PATH.
fn find(name: &str, variable: &str) -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os(variable) {
        return Ok(PathBuf::from(path));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file()).with_context(|| {
        format!("there is no {name} on the PATH; install it, name it in {variable}, or name a running one with --nats / --redis")
    })
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
