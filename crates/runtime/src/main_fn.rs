//! The fixed order in which every service starts and stops.

use crate::node::Node;
use crate::settings::Settings;
use crate::telemetry;
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser};
use millrace_contract::Service;
use millrace_stage::{Decider, Edge, Stage};
use std::future::Future;
use std::process::ExitCode;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

/// Bad settings; sysexits.h's EX_USAGE.
const USAGE: u8 = 64;

#[derive(Debug, Parser)]
struct Cli<A: Args> {
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    own: A,
    /// Check the settings, say what they come to, and exit
    #[arg(long)]
    check_config: bool,
}

/// A stage's whole `main`.
pub fn main<S: Stage>() -> ExitCode {
    start::<S::Settings, _, _>(S::HOP.service, S::new, async |node: &Node, stage: S| node.stage(stage).await)
}

/// The router's whole `main`.
pub fn main_router<D: Decider>() -> ExitCode {
    start::<D::Settings, _, _>(D::HOP.service, D::new, async |node: &Node, decider: D| {
        node.router(decider).await
    })
}

/// The whole `main` of a service at the edge.
pub fn main_edge<E: Edge>() -> ExitCode {
    start::<E::Settings, _, _>(E::SERVICE, Ok, async |node: &Node, settings: E::Settings| {
        let routes = node.edge::<E>(settings).await?;
        let address = node.serve(routes).await?;
        tracing::info!(%address, "HTTP");
        Ok(())
    })
}

fn start<A: Args, B, R>(service: Service, build: impl FnOnce(A) -> anyhow::Result<B>, run: R) -> ExitCode
where
    R: AsyncFnOnce(&Node, B) -> anyhow::Result<()>,
{
    let command = Cli::<A>::command().name(service.name()).about(service.hop().doing);
    let cli = match command.try_get_matches().and_then(|matches| Cli::<A>::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => {
            let help = !error.use_stderr();
            // Nothing else can be done if even this cannot be printed.
            let _ = error.print();
            return if help { ExitCode::SUCCESS } else { ExitCode::from(USAGE) };
        }
    };
    telemetry::log(&cli.settings);
    let settings = cli.settings;
    let built = match build(cli.own) {
        Ok(built) => built,
        Err(error) => {
            tracing::error!("settings that cannot work: {error:#}");
            return ExitCode::from(USAGE);
        }
    };
    if cli.check_config {
        tracing::info!("{settings:#?}");
        return ExitCode::SUCCESS;
    }
    // One thread carries thousands of documents a second; stages run beside it, on the blocking pool. More threads
    // would wake one another for every message, and write each to the socket by itself.
    block_on(Threads::One, async move {
        tracing::info!(service = service.name(), version = env!("CARGO_PKG_VERSION"), "starting");
        let stopped = stopped();
        let node = tokio::select! {
            node = Node::start(settings, service.name()) => node?,
            () = stopped => return Ok(()),
        };
        run(&node, built).await?;
        node.ready();
        tracing::info!(service = service.name(), "ready");
        self::stopped().await;
        tracing::info!(service = service.name(), "draining");
        let whole = node.drain().await;
        tracing::info!(service = service.name(), whole, "stopped");
        Ok(())
    })
}

/// On how many threads a process does everything but the stages' work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threads {
    /// One: for one service.
    One,
    /// One a core: for several.
    PerCore,
}

/// Runs a process's whole life; a failure to start is logged and is exit code 1. Stages that do not return are not
/// waited for: what they worked on has been handed back. `TOKIO_WORKER_THREADS` overrides `threads`.
pub fn block_on(threads: Threads, life: impl Future<Output = anyhow::Result<()>>) -> ExitCode {
    let one = threads == Threads::One && std::env::var_os("TOKIO_WORKER_THREADS").is_none();
    let mut builder = if one { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    let runtime = match builder.enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "cannot start");
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(life);
    runtime.shutdown_background();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Resolves on SIGTERM or SIGINT.
pub async fn stopped() {
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
}
