//! Streams and consumers, made from the table. Idempotent.

use crate::broker::Broker;
use crate::settings::Settings;
use anyhow::Context as _;
use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::stream::{Compression, Config, DiscardPolicy, RetentionPolicy, StorageType};
use millrace_contract::{CHOREOGRAPHY, Hop, Service, subject};
use std::time::Duration;

/// Ids are remembered this long by the broker itself; the log remembers for ever. 0.15 kB of server memory an id.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(20 * 60);

/// Makes every stream and every consumer.
///
/// # Errors
/// If the server refuses one; says which.
pub async fn provision(broker: &Broker, settings: &Settings) -> anyhow::Result<()> {
    streams(broker, settings).await?;
    for hop in CHOREOGRAPHY {
        consumers(broker, settings, hop).await?;
        // Before anybody reads them: a deployment that starts with no replica is scaled on what waits there.
        for lane in hop.side_lanes {
            let settings = Settings { lanes: vec![(*lane).to_owned()], ..settings.clone() };
            consumers(broker, &settings, hop).await?;
        }
    }
    Ok(())
}

/// Makes every stream. All services do at start, so that the first one up does not depend on another.
pub(crate) async fn streams(broker: &Broker, settings: &Settings) -> anyhow::Result<()> {
    let log = |name: String, subjects: Vec<String>| Config {
        name,
        subjects,
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        discard: DiscardPolicy::Old,
        max_age: settings.log_max_age,
        duplicate_window: DUPLICATE_WINDOW.min(settings.log_max_age),
        allow_direct: true,
        allow_message_ttl: true,
        allow_message_schedules: true,
        num_replicas: settings.stream_replicas,
        ..Config::default()
    };
    let mut wanted = Vec::new();
    for &service in Service::ALL {
        let subjects = subject::stream_subjects(service);
        if !subjects.is_empty() {
            wanted.push(log(service.stream(), subjects));
        }
    }
    wanted.push(Config {
        retention: RetentionPolicy::WorkQueue,
        ..log(subject::INBOX_STREAM.to_owned(), subject::inbox_subjects())
    });
    wanted.push(Config {
        allow_message_schedules: false,
        ..log(
            subject::ADVISORY_STREAM.to_owned(),
            vec!["$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>".to_owned()],
        )
    });
    // What is kept by key. Nothing in it is told apart by message id: writes name the revision that they follow.
    let kept = |name: &str, subjects: Vec<String>| Config {
        name: name.to_owned(),
        subjects,
        storage: StorageType::File,
        max_age: settings.artifact_max_age,
        max_messages_per_subject: 1,
        duplicate_window: Duration::from_secs(1),
        compression: Some(Compression::S2),
        allow_direct: true,
        num_replicas: settings.stream_replicas,
        ..Config::default()
    };
    let artifacts = vec!["millrace.artifact.>".to_owned(), "millrace.chunk.>".to_owned()];
    wanted.push(kept(subject::ARTIFACT_STREAM, artifacts));
    wanted.push(kept(subject::VAULT_STREAM, vec![format!("{}.>", subject::VAULT)]));
    wanted.push(kept(subject::JOURNAL_STREAM, vec![format!("{}.>", subject::JOURNAL)]));
    for config in wanted {
        let name = config.name.clone();
        broker
            .js
            .create_or_update_stream(config)
            .await
            .with_context(|| format!("cannot make the stream {name}"))?;
    }
    Ok(())
}

/// Makes the consumers of one hop.
pub(crate) async fn consumers(broker: &Broker, settings: &Settings, hop: &Hop) -> anyhow::Result<()> {
    for (stream, filters) in reads(settings, hop) {
        // Nobody would hear of an alarm that was given up on: it is the only trace of the message it tells of.
        let endless = hop.max_deliver == 0 || stream == subject::ADVISORY_STREAM;
        let config = pull::Config {
            durable_name: Some(settings.durable(hop)),
            ack_policy: AckPolicy::Explicit,
            ack_wait: settings.ack_wait(hop),
            max_deliver: if endless { -1 } else { i64::from(hop.max_deliver) },
            max_ack_pending: i64::from(hop.max_ack_pending),
            filter_subjects: filters,
            ..pull::Config::default()
        };
        broker
            .js
            .create_consumer_on_stream(config, stream.as_str())
            .await
            .with_context(|| format!("cannot make the consumer {} of {stream}", hop.service.name()))?;
    }
    Ok(())
}

/// What a hop reads: each stream with the filters on it.
pub(crate) fn reads(settings: &Settings, hop: &Hop) -> Vec<(String, Vec<String>)> {
    let mut reads: Vec<_> = hop
        .consumers()
        .into_iter()
        .map(|consumer| {
            let filters = subject::filters(hop, &consumer.hears, &settings.lanes);
            (consumer.stream, filters)
        })
        .collect();
    if hop.service == Service::Intake {
        let filters = vec![format!("{}.*", subject::INBOX), format!("{}-due.*", subject::INBOX)];
        reads.push((subject::INBOX_STREAM.to_owned(), filters));
    }
    if hop.service == Service::Router {
        let all = "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>".to_owned();
        reads.push((subject::ADVISORY_STREAM.to_owned(), vec![all]));
    }
    reads
}
