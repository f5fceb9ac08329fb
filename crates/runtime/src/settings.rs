//! Settings that every service has. One declaration each: flag, environment variable, default, documentation.

use clap::Args;
use millrace_contract::Hop;
use std::net::SocketAddr;
use std::time::Duration;

/// Where the service runs and how much it takes on.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct Settings {
    /// NATS server (2.14 or newer); user and password may stand in the URL
    #[arg(long, env = "NATS_URL", default_value = "nats://127.0.0.1:4222", hide_env_values = true)]
    pub nats_url: String,
    /// File with an nkey seed to sign in with
    #[arg(long, env = "MILLRACE_NATS_NKEY_FILE")]
    pub nats_nkey_file: Option<std::path::PathBuf>,
    /// Address of /livez, /readyz and /metrics
    #[arg(long, env = "MILLRACE_OPS_ADDR", default_value = "127.0.0.1:9090")]
    pub ops_addr: SocketAddr,
    /// Address of the service's own HTTP API, if it has one
    #[arg(long, env = "MILLRACE_HTTP_ADDR", default_value = "127.0.0.1:8080")]
    pub http_addr: SocketAddr,
    /// Hear only these lanes. Name lanes on every deployment of a stage or on none
    #[arg(long = "lane", env = "MILLRACE_LANES", value_delimiter = ',')]
    pub lanes: Vec<String>,
    /// Jobs at work at once in this replica [default: the choreography's]
    #[arg(long, env = "MILLRACE_IN_FLIGHT")]
    pub in_flight: Option<usize>,
    /// Lease on a delivery, such as 15s [default: the choreography's]
    #[arg(long, env = "MILLRACE_ACK_WAIT", value_parser = humantime::parse_duration)]
    pub ack_wait: Option<Duration>,
    /// How long one run of the stage may take [default: the choreography's]
    #[arg(long, env = "MILLRACE_DEADLINE", value_parser = humantime::parse_duration)]
    pub deadline: Option<Duration>,
    /// First pause after a failure that may pass; doubles with each try
    #[arg(long, env = "MILLRACE_BACKOFF", default_value = "2s", value_parser = humantime::parse_duration)]
    pub backoff: Duration,
    /// Time to finish what is at work when told to stop
    #[arg(long, env = "MILLRACE_GRACE", default_value = "25s", value_parser = humantime::parse_duration)]
    pub grace: Duration,
    /// How long the log is kept: the replay horizon
    #[arg(long, env = "MILLRACE_LOG_MAX_AGE", default_value = "7d", value_parser = humantime::parse_duration)]
    pub log_max_age: Duration,
    /// How long artifacts are kept
    #[arg(long, env = "MILLRACE_ARTIFACT_MAX_AGE", default_value = "30d", value_parser = humantime::parse_duration)]
    pub artifact_max_age: Duration,
    /// Copies of each stream in a cluster
    #[arg(long, env = "MILLRACE_STREAM_REPLICAS", default_value_t = 1)]
    pub stream_replicas: usize,
    /// Do not create or update streams and consumers: `millrace provision` does, with rights that services lack
    #[arg(long, env = "MILLRACE_NO_PROVISION")]
    pub no_provision: bool,
    /// Log lines for people (text) or for machines (json)
    #[arg(long, env = "MILLRACE_LOG_FORMAT", default_value = "text", value_parser = ["text", "json"])]
    pub log_format: String,
}

impl Settings {
    /// The lease on a delivery of this hop.
    pub fn ack_wait(&self, hop: &Hop) -> Duration {
        self.ack_wait.unwrap_or(hop.ack_wait)
    }

    /// The durable name under which a service reads: its own, or one for its lanes.
    pub fn durable(&self, hop: &Hop) -> String {
        let mut name = hop.service.name().to_owned();
        for lane in &self.lanes {
            name.push('-');
            name.push_str(lane);
        }
        name
    }
}
