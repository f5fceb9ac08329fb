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
    pub async fn start(nats: Nats, more: &[(String, String)]) -> System {
        System::start_with(nats, Redis::start(), more).await
    }

    /// The same, with the account's limits shared through Redis.
    pub async fn start_sharing_limits(nats: Nats, more: &[(String, String)]) -> System {
        let redis = Redis::start();
        let mut more = more.to_vec();
        more.push(("MILLRACE_LIMITS_REDIS_URL".to_owned(), redis.url()));
        System::start_with(nats, redis, &more).await
    }

    async fn start_with(nats: Nats, redis: Redis, more: &[(String, String)]) -> System {
        let own = [("NATS_URL", nats.url()), ("REDIS_URL", redis.url()), ("MILLRACE_LOG", "warn".to_owned())];
        let own = own.iter().map(|(name, value)| (*name, value.as_str()));
        let environment: Vec<(&str, &str)> =
            own.chain(more.iter().map(|(name, value)| (name.as_str(), value.as_str()))).collect();
        let mut services = Vec::new();
        for name in SERVICES {
            services.push((name, Service::start(name, &environment)));
        }
        for (_, service) in &services {
            service.ready().await;
        }
        System { nats, redis, services }
    }

    /// One of the services.
    pub fn service(&mut self, name: &str) -> Option<&mut Service> {
        self.services.iter_mut().find(|(known, _)| *known == name).map(|(_, service)| service)
    }

    /// Where the broker listens.
    pub fn nats_url(&self) -> String {
        self.nats.url()
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
