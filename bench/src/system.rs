//! The whole system for a measurement: real servers, every service a process of its own.

use millrace_testkit::{Nats, Redis, Service};

/// Every service, in the order a job meets them.
pub const SERVICES: [&str; 7] =
    ["intake", "extraction", "sanitization", "router", "inference", "validation", "status"];

/// A running system.
pub struct System {
    nats: Nats,
    /// The read model's store.
    pub redis: Redis,
    /// The services, in order.
    pub services: Vec<(&'static str, Service)>,
}

impl System {
    /// Starts everything, with more settings for every service.
    pub async fn start(nats: Nats, more: &[(&str, &str)]) -> System {
        let redis = Redis::start();
        let (nats_url, redis_url) = (nats.url(), redis.url());
        let mut environment = vec![
            ("NATS_URL", nats_url.as_str()),
            ("REDIS_URL", redis_url.as_str()),
            ("MILLRACE_LOG", "warn"),
        ];
        environment.extend_from_slice(more);
        let mut services = Vec::new();
        for name in SERVICES {
            services.push((name, Service::start(name, &environment)));
        }
        for (_, service) in &services {
            service.ready().await;
        }
        System { nats, redis, services }
    }

    /// Every process of it by name: services and servers.
    pub fn processes(&self) -> Vec<(String, u32)> {
        let services = self.services.iter().map(|(name, service)| ((*name).to_owned(), service.pid()));
        let servers = [("nats-server", self.nats.pid()), ("redis-server", self.redis.pid())];
        services.chain(servers.into_iter().filter_map(|(name, pid)| Some((name.to_owned(), pid?)))).collect()
    }

    /// URL of a service's HTTP API.
    pub fn url(&self, name: &str) -> String {
        self.services
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, service)| service.url())
            .unwrap_or_default()
    }
}
