//! Logs to stderr, spans to an OTLP collector over HTTP when one is named. Trace and span ids are made in any case, so
//! that every job has a trace id to be found by, and that a trace goes on behind a service that sends none.

use crate::settings::Settings;
use opentelemetry::trace::{
    SpanContext, SpanKind, TraceContextExt as _, TraceFlags, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{IdGenerator as _, RandomIdGenerator, SdkTracer, SdkTracerProvider};
use std::io::IsTerminal as _;
use std::time::Duration;

/// Tracing of one process; flushed by [`Telemetry::flush`].
#[derive(Clone)]
pub(crate) struct Telemetry {
    provider: SdkTracerProvider,
    /// None where spans have nowhere to go.
    tracer: Option<SdkTracer>,
}

/// Starts logging. Once a process; later calls change nothing.
pub fn log(settings: &Settings) {
    use tracing_subscriber::EnvFilter;
    let filter =
        EnvFilter::try_from_env("MILLRACE_LOG").unwrap_or_else(|_| EnvFilter::new("info,async_nats=warn"));
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colours)
        .with_target(false);
    let _ = match settings.log_format.as_str() {
        "json" => builder.json().flatten_event(true).try_init(),
        _ => builder.try_init(),
    };
}

impl Telemetry {
    /// Tracing under this service name. Spans leave the process if `OTEL_EXPORTER_OTLP_ENDPOINT` (or the traces one)
    /// is set and `OTEL_SDK_DISABLED` is not.
    ///
    /// # Errors
    /// If the exporter cannot be built from the environment.
    pub(crate) fn start(service: &str) -> anyhow::Result<Telemetry> {
        let set = |name: &str| std::env::var(name).is_ok_and(|value| !value.is_empty());
        let off = std::env::var("OTEL_SDK_DISABLED").is_ok_and(|value| value.eq_ignore_ascii_case("true"));
        let mut resource = Resource::builder();
        if !set("OTEL_SERVICE_NAME") {
            resource = resource.with_service_name(format!("millrace-{service}"));
        }
        let mut builder = SdkTracerProvider::builder().with_resource(resource.build());
        let sent = !off && (set("OTEL_EXPORTER_OTLP_ENDPOINT") || set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"));
        if sent {
            let exporter = SpanExporter::builder().with_http().with_protocol(Protocol::HttpBinary).build()?;
            builder = builder.with_batch_exporter(exporter);
        }
        let provider = builder.build();
        let tracer = sent.then(|| provider.tracer("millrace"));
        Ok(Telemetry { provider, tracer })
    }

    /// A span under a parent; the context that holds it. The span ends with the last clone of the context.
    pub(crate) fn span(
        &self,
        name: impl FnOnce() -> String,
        kind: SpanKind,
        parent: &Context,
        attributes: impl FnOnce() -> Vec<KeyValue>,
    ) -> Context {
        let Some(tracer) = &self.tracer else { return unsent(parent) };
        let builder = tracer.span_builder(name()).with_kind(kind).with_attributes(attributes());
        parent.with_span(builder.start_with_context(tracer, parent))
    }

    /// A call to somebody else that has ended just now.
    pub(crate) fn done(&self, name: String, took: Duration, parent: &Context, attributes: Vec<KeyValue>) {
        let Some(tracer) = &self.tracer else { return };
        let builder = tracer.span_builder(name).with_kind(SpanKind::Client).with_attributes(attributes);
        let builder = builder.with_start_time(std::time::SystemTime::now() - took);
        drop(builder.start_with_context(tracer, parent));
    }

    /// Sends what has not been sent. Takes 5 s at most when the collector hangs.
    pub(crate) fn flush(&self) {
        if let Err(error) = self.provider.shutdown_with_timeout(Duration::from_secs(5)) {
            tracing::debug!(%error, "spans may be missing");
        }
    }
}

/// A span that nobody will see, as far as its children are concerned: ids of its own, in its parent's trace.
fn unsent(parent: &Context) -> Context {
    let ids = RandomIdGenerator::default();
    let above = parent.span();
    let above = above.span_context();
    let (trace, flags) = if above.is_valid() {
        (above.trace_id(), above.trace_flags())
    } else {
        (ids.new_trace_id(), TraceFlags::SAMPLED)
    };
    let span = SpanContext::new(trace, ids.new_span_id(), flags, false, above.trace_state().clone());
    parent.with_remote_span_context(span)
}

/// The trace id of a context: 32 hex digits, or empty.
pub(crate) fn trace_id(context: &Context) -> String {
    let span = context.span();
    let span = span.span_context();
    if span.is_valid() { span.trace_id().to_string() } else { String::new() }
}
