//! The simulated model provider as a program of its own, so that a bench measures it apart, and killing what is
//! tested does not kill the account.

use anyhow::Context as _;
use clap::Parser;
use millrace_testkit::provider::{Config, Simulated};
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// Answers like Gemini, OpenAI and Anthropic on one port, with faults on demand and an account of every request.
#[derive(Parser)]
struct Options {
    /// Address to listen on.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// Port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// A configuration as JSON to begin with. `POST /control/config` replaces it.
    #[arg(long)]
    config: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let config = match options.config {
        Some(path) => {
            let text = std::fs::read(&path).with_context(|| path.display().to_string())?;
            serde_json::from_slice(&text).with_context(|| path.display().to_string())?
        }
        None => Config::default(),
    };
    let simulated = Simulated::bind(SocketAddr::new(options.host, options.port), config, false).await?;
    writeln!(std::io::stdout(), "{}", simulated.url).context("print the URL")?;
    simulated.forever().await;
    Ok(())
}
