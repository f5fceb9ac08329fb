//! What is counted, in Prometheus' format on `/metrics`. Labels are closed sets; no ids.

use millrace_contract::ErrorCode;
use millrace_stage::Called;
use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ByService {
    service: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ByEnd {
    service: &'static str,
    end: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ByCode {
    service: &'static str,
    code: &'static str,
}

/// OpenTelemetry's conventions for calls to models.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ByModel {
    gen_ai_operation_name: &'static str,
    gen_ai_provider_name: String,
    gen_ai_request_model: String,
    error_type: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ByToken {
    gen_ai_operation_name: &'static str,
    gen_ai_provider_name: String,
    gen_ai_request_model: String,
    gen_ai_token_type: &'static str,
}

/// All metrics of a process.
pub(crate) struct Metrics {
    registry: Registry,
    calls: Family<ByModel, Histogram, fn() -> Histogram>,
    tokens: Family<ByToken, Histogram, fn() -> Histogram>,
    cost: Family<ByModel, Counter>,
    deliveries: Family<ByEnd, Counter>,
    failures: Family<ByCode, Counter>,
    concessions: Family<ByCode, Counter>,
    pub(crate) in_flight: Family<ByService, Gauge>,
    seconds: Family<ByService, Histogram, fn() -> Histogram>,
    reused: Family<ByService, Counter>,
    extended: Family<ByService, Counter>,
    unpublished: Family<ByService, Counter>,
}

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Said,
    SaidBefore,
    Failed,
    Parked,
    HandedOver,
    HandedBack,
}

fn seconds() -> Histogram {
    // The convention's buckets stop at 10 s; a model may take minutes.
    Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0])
}

fn tokens() -> Histogram {
    Histogram::new((0..14).map(|power| 4f64.powi(power)))
}

impl Metrics {
    pub(crate) fn new() -> Metrics {
        let mut all = Registry::default();
        let metrics = Metrics {
            calls: Family::new_with_constructor(seconds as fn() -> Histogram),
            tokens: Family::new_with_constructor(tokens as fn() -> Histogram),
            cost: Family::default(),
            deliveries: Family::default(),
            failures: Family::default(),
            concessions: Family::default(),
            in_flight: Family::default(),
            seconds: Family::new_with_constructor(seconds as fn() -> Histogram),
            reused: Family::default(),
            extended: Family::default(),
            unpublished: Family::default(),
            registry: Registry::default(),
        };
        let calls = "gen_ai_client_operation_duration";
        all.register_with_unit(calls, "One call to a model", Unit::Seconds, metrics.calls.clone());
        all.register("gen_ai_client_token_usage", "Tokens of one call to a model", metrics.tokens.clone());
        let registry = all.sub_registry_with_prefix("millrace");
        registry.register(
            "model_cost_microusd",
            "What calls to models cost, millionths of a dollar",
            metrics.cost.clone(),
        );
        registry.register("deliveries", "Deliveries by how they ended", metrics.deliveries.clone());
        registry.register("failures", "Failed tries by error code", metrics.failures.clone());
        registry.register(
            "concessions",
            "Work that went on without something that failed, by error code",
            metrics.concessions.clone(),
        );
        registry.register("in_flight", "Jobs at work now", metrics.in_flight.clone());
        registry.register_with_unit("stage", "One run of a stage", Unit::Seconds, metrics.seconds.clone());
        registry.register("reused", "Finished work that was found again", metrics.reused.clone());
        registry.register("lease_extensions", "Heartbeats that kept a lease", metrics.extended.clone());
        registry.register(
            "publish_faults",
            "Publishes that failed or were denied",
            metrics.unpublished.clone(),
        );
        Metrics { registry: all, ..metrics }
    }

    pub(crate) fn called(&self, called: &Called<'_>) {
        let gen_ai_operation_name = "chat";
        let by = ByModel {
            gen_ai_operation_name,
            gen_ai_provider_name: called.provider.to_owned(),
            gen_ai_request_model: called.model.to_owned(),
            error_type: called.code.map_or("", ErrorCode::name),
        };
        let spent = called.spent;
        for (gen_ai_token_type, tokens) in [("input", spent.input_tokens), ("output", spent.output_tokens)] {
            if tokens > 0 {
                let by = ByToken {
                    gen_ai_operation_name,
                    gen_ai_provider_name: by.gen_ai_provider_name.clone(),
                    gen_ai_request_model: by.gen_ai_request_model.clone(),
                    gen_ai_token_type,
                };
                self.tokens.get_or_create(&by).observe(tokens as f64);
            }
        }
        self.cost.get_or_create(&by).inc_by(spent.cost_microusd);
        self.calls.get_or_create(&by).observe(called.took.as_secs_f64());
    }

    pub(crate) fn delivered(&self, service: &'static str, end: End) {
        let end = match end {
            End::Said => "said",
            End::SaidBefore => "said_before",
            End::Failed => "failed",
            End::Parked => "parked",
            End::HandedOver => "handed_over",
            End::HandedBack => "handed_back",
        };
        self.deliveries.get_or_create(&ByEnd { service, end }).inc();
    }

    pub(crate) fn failed(&self, service: &'static str, code: &'static str) {
        self.failures.get_or_create(&ByCode { service, code }).inc();
    }

    pub(crate) fn conceded(&self, service: &'static str, code: &'static str) {
        self.concessions.get_or_create(&ByCode { service, code }).inc();
    }

    pub(crate) fn took(&self, service: &'static str, time: Duration) {
        self.seconds.get_or_create(&ByService { service }).observe(time.as_secs_f64());
    }

    pub(crate) fn reused(&self, service: &'static str) {
        self.reused.get_or_create(&ByService { service }).inc();
    }

    pub(crate) fn extended(&self, service: &'static str) {
        self.extended.get_or_create(&ByService { service }).inc();
    }

    pub(crate) fn unpublished(&self, service: &'static str) {
        self.unpublished.get_or_create(&ByService { service }).inc();
    }

    pub(crate) fn at_work(&self, service: &'static str, change: i64) {
        self.in_flight.get_or_create(&ByService { service }).inc_by(change);
    }

    pub(crate) fn render(&self) -> String {
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
