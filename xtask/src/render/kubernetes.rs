//! Kubernetes objects: for each service a service account, a deployment, a disruption budget, and where it applies a
//! Service and a KEDA ScaledObject on its consumers' lag.

use millrace_contract::{CHOREOGRAPHY, Hop, Service};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The Kustomize base.
pub(super) const BASE: &str = "deploy/kubernetes/base";
/// The folder in it that is rendered.
pub(super) const GENERATED: &str = "generated";

/// Seconds to finish what is at work; handed back after that, so it need not be as long as the longest job.
const GRACE: u32 = 60;
/// Until the kill: the pause of an HTTP service, the grace period, 2 s to hand back, 5 s to flush spans, some slack.
const KILLED_AFTER: u32 = GRACE + 20;
/// Replicas that autoscaling stops at, however far the table would let it go.
const ENOUGH: usize = 16;
/// Replicas while KEDA cannot see the lag.
const BLIND: usize = 2;
/// Where KEDA, from its own namespace, asks for the lag. In a cluster it needs the headless service's name.
const MONITORING: &str = "nats-headless.nats.svc.cluster.local:8222";

/// What is deployed by itself: a service, or a service for one of its side lanes.
struct Deployed {
    hop: &'static Hop,
    lane: Option<&'static str>,
}

impl Deployed {
    fn all() -> impl Iterator<Item = Deployed> {
        CHOREOGRAPHY.iter().flat_map(|hop| {
            let lanes = hop.side_lanes.iter().map(|lane| Some(*lane));
            std::iter::once(None).chain(lanes).map(move |lane| Deployed { hop, lane })
        })
    }

    fn service(&self) -> Service {
        self.hop.service
    }

    /// Also that of its consumers.
    fn name(&self) -> String {
        let service = self.service().name();
        self.lane.map_or_else(|| service.to_owned(), |lane| format!("{service}-{lane}"))
    }

    fn path(&self) -> String {
        format!("{GENERATED}/{}.yaml", self.name())
    }

    /// Jobs at work at once in one replica. Recognising fills a processor each, where reading hardly uses one.
    fn in_flight(&self) -> usize {
        if self.lane.is_some() { 2 } else { self.hop.in_flight }
    }
}

/// One file for each deployment.
pub(super) fn files() -> Vec<(PathBuf, String)> {
    Deployed::all().map(|of| (Path::new(BASE).join(of.path()), file(&of))).collect()
}

/// The list of these files in `kustomization.yaml`.
pub(super) fn part() -> String {
    Deployed::all().map(|of| format!("- {}\n", of.path())).collect()
}

fn file(of: &Deployed) -> String {
    let mut objects = vec![account(of), deployment(of), budget(of)];
    if serves_http(of.service()) {
        objects.push(http(of));
    }
    if is_scaled(of.hop) {
        objects.push(scaling(of));
    }
    let from =
        "# Rendered from crates/contract/src/choreography.rs by `cargo xtask render`: change the table.\n";
    format!("{from}{}", objects.join("---\n"))
}

fn serves_http(service: Service) -> bool {
    matches!(service, Service::Intake | Service::Status)
}

/// Stages and the router are scaled on lag. Intake's load is requests; status folds faster than six services talk.
fn is_scaled(hop: &Hop) -> bool {
    hop.stage || hop.service == Service::Router
}

/// Replicas of what is not scaled.
fn replicas(service: Service) -> u32 {
    if service == Service::Intake { 2 } else { 1 }
}

/// Memory: requested, and the limit. CPU has no limit: throttling would only stretch leases.
fn memory(service: Service) -> (&'static str, &'static str) {
    match service {
        Service::Extraction => ("512Mi", "2Gi"), // one child for each document at work
        Service::Intake => ("128Mi", "512Mi"),
        _ => ("64Mi", "256Mi"),
    }
}

fn metadata(of: &Deployed) -> String {
    let name = of.name();
    format!(
        "metadata:
  name: millrace-{name}
  labels:
    app.kubernetes.io/name: millrace-{name}
    app.kubernetes.io/part-of: millrace
"
    )
}

fn account(of: &Deployed) -> String {
    let metadata = metadata(of);
    format!("apiVersion: v1\nkind: ServiceAccount\n{metadata}automountServiceAccountToken: false\n")
}

fn deployment(of: &Deployed) -> String {
    let (hop, service, name) = (of.hop, of.service(), of.name());
    let program = service.name();
    // The image of the side lane has what that work needs besides.
    let image = of.lane.map_or_else(|| "millrace".to_owned(), |lane| format!("millrace-{lane}"));
    // Where autoscaling decides, applying the file again must not undo its decision.
    let replicas =
        if is_scaled(hop) { String::new() } else { format!("  replicas: {}\n", replicas(service)) };
    let (request, limit) = memory(service);
    let (port, pause) = if serves_http(service) {
        (
            "
        - name: http
          containerPort: 8080",
            "
        lifecycle:
          preStop: # until the endpoint has left every list; the image has no shell to sleep in
            sleep:
              seconds: 5",
        )
    } else {
        ("", "")
    };
    let metadata = metadata(of);
    format!(
        "apiVersion: apps/v1
kind: Deployment
{metadata}spec:
{replicas}  selector:
    matchLabels:
      app.kubernetes.io/name: millrace-{name}
  strategy:
    rollingUpdate:
      maxSurge: 1
      maxUnavailable: 0
  template:
    metadata:
      labels:
        app.kubernetes.io/name: millrace-{name}
        app.kubernetes.io/part-of: millrace
    spec:
      serviceAccountName: millrace-{name}
      automountServiceAccountToken: false
      enableServiceLinks: false # they would be MILLRACE_... variables too
      terminationGracePeriodSeconds: {KILLED_AFTER}
      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
        runAsGroup: 65532
        seccompProfile:
          type: RuntimeDefault
      topologySpreadConstraints:
      - maxSkew: 1
        topologyKey: topology.kubernetes.io/zone
        whenUnsatisfiable: ScheduleAnyway
        labelSelector:
          matchLabels:
            app.kubernetes.io/name: millrace-{name}
      containers:
      - name: {name}
        image: {image}
        command: [\"millrace-{program}\"]
        envFrom:
        - configMapRef:
            name: millrace
        - secretRef: # what this service alone may know{secrets}
            name: millrace-{name}
            optional: true
        env:
        - name: MILLRACE_GRACE
          value: {GRACE}s{lane}
        ports:
        - name: ops
          containerPort: 9090{port}
        startupProbe:
          httpGet:
            path: /livez
            port: ops
          periodSeconds: 5
          timeoutSeconds: 2
          failureThreshold: 60
        livenessProbe:
          httpGet:
            path: /livez
            port: ops
          periodSeconds: 10
          timeoutSeconds: 5
          failureThreshold: 6
        readinessProbe:
          httpGet:
            path: /readyz
            port: ops
          periodSeconds: 5
          timeoutSeconds: 2{pause}
        resources:
          requests:
            cpu: 100m
            memory: {request}
          limits:
            memory: {limit}
        securityContext:
          allowPrivilegeEscalation: false
          readOnlyRootFilesystem: true
          capabilities:
            drop: [\"ALL\"]
        volumeMounts:
        - name: tmp
          mountPath: /tmp
      volumes:
      - name: tmp
        emptyDir:
          sizeLimit: 2Gi
",
        secrets = secrets(service),
        lane = lanes(of),
    )
}

/// Who hands what over to whom.
fn lanes(of: &Deployed) -> String {
    let set = |name: &str, value: &str| format!("\n        - name: {name}\n          value: {value}");
    match (of.service(), of.lane) {
        (Service::Extraction, None) => set("MILLRACE_EXTRACTION_OCR", "lane"),
        (_, None) => String::new(),
        (_, Some(lane)) => {
            set("MILLRACE_LANES", lane) + &set("MILLRACE_IN_FLIGHT", &format!("\"{}\"", of.in_flight()))
        }
    }
}

/// Names the secrets that are expected there.
fn secrets(service: Service) -> &'static str {
    match service {
        Service::Inference => {
            ": GEMINI_API_KEY, OPENAI_API_KEY, ANTHROPIC_API_KEY, NATS_URL and MILLRACE_LIMITS_REDIS_URL with its own users"
        }
        Service::Status => ": REDIS_URL and NATS_URL with its own users",
        _ => ": NATS_URL with its own user",
    }
}

fn budget(of: &Deployed) -> String {
    let (metadata, name) = (metadata(of), of.name());
    format!(
        "apiVersion: policy/v1
kind: PodDisruptionBudget
{metadata}spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      app.kubernetes.io/name: millrace-{name}
"
    )
}

fn http(of: &Deployed) -> String {
    let (metadata, name) = (metadata(of), of.name());
    format!(
        "apiVersion: v1
kind: Service
{metadata}spec:
  selector:
    app.kubernetes.io/name: millrace-{name}
  ports:
  - name: http
    port: 80
    targetPort: http
"
    )
}

/// KEDA counts what waits and what is at work (`num_pending + num_ack_pending`), so with a threshold of one replica's
/// capacity there are as many replicas as the work needs, and none is taken away for having nothing queued. More
/// replicas than `max_ack_pending` has room for would stand idle.
fn scaling(of: &Deployed) -> String {
    let (metadata, name) = (metadata(of), of.name());
    let most = most(of);
    // Nobody need wait for scans where there are none; the first one takes half a minute longer.
    let least = u8::from(of.lane.is_none());
    let mut out = format!(
        "apiVersion: keda.sh/v1alpha1
kind: ScaledObject
{metadata}spec:
  scaleTargetRef:
    name: millrace-{name}
  pollingInterval: 10
  minReplicaCount: {least}
  maxReplicaCount: {most}
  fallback:
    failureThreshold: 3
    replicas: {BLIND}
  triggers:
"
    );
    for consumer in of.hop.consumers() {
        let _ = write!(
            out,
            "  - type: nats-jetstream
    metadata:
      natsServerMonitoringEndpoint: {MONITORING}
      account: \"$G\"
      stream: {}
      consumer: {name}
      lagThreshold: \"{}\"
",
            consumer.stream,
            of.in_flight(),
        );
    }
    out
}

fn most(of: &Deployed) -> usize {
    (of.hop.max_ack_pending as usize / of.in_flight()).clamp(1, ENOUGH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_is_scaled_on_the_stream_it_hears() {
        for of in Deployed::all().filter(|of| of.hop.stage) {
            let consumers = of.hop.consumers();
            assert_eq!(consumers.len(), 1, "one trigger is what KEDA reads best");
            let text = scaling(&of);
            assert!(text.contains(&format!("stream: {}\n", consumers[0].stream)), "{text}");
            assert!(text.contains(&format!("consumer: {}\n", of.name())), "{text}");
            assert!(most(&of) * of.in_flight() <= of.hop.max_ack_pending as usize);
            assert!(BLIND <= most(&of));
        }
    }

    #[test]
    fn nothing_is_killed_inside_its_grace_period() {
        let (pause, hand_back, flush) = (5, 2, 5);
        assert!(KILLED_AFTER > pause + GRACE + hand_back + flush);
    }
}
