//! The delivery protocol, model-checked: every order in which workers, broker, operators and misfortunes can come,
//! within budgets. The decisions are the very functions that the runtime and the router call; the order of the steps
//! around them follows `runtime::deliver`.

#![expect(clippy::print_stdout, reason = "how much was explored, and what was found, is the result")]

#[path = "model/checks.rs"]
mod checks;
#[path = "model/machine.rs"]
mod machine;
#[path = "model/rules.rs"]
mod rules;
#[path = "model/state.rs"]
mod state;
#[path = "model/steps.rs"]
mod steps;

use checks::possible;
use machine::Protocol;
use millrace_contract::protocol::Patience;
use millrace_contract::{ErrorCode, EventKind, Service};
use millrace_router::recovery::Scope;
use millrace_router::{Router, Settings};
use millrace_stage::Decider as _;
use rules::{Broken, Rules, Try};
use state::Left;
use stateright::{Checker as _, HasDiscoveries, Model as _, Property};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A router with so many models to fall back on. Recoveries beyond that are rounds like any other.
fn router(models: &str, recovery: Scope) -> Arc<Router> {
    let rules = format!("{}/tests/model/{models}-models.toml", env!("CARGO_MANIFEST_DIR"));
    let settings = Settings { rules: Some(rules.into()), outage_wait: Duration::from_secs(30), recovery };
    Arc::new(Router::new(settings).expect("its rules can work"))
}

fn protocol(from: EventKind, left: Left, tries: fn(Service) -> &'static [Try]) -> Protocol {
    let router = router("two", Scope::Fallback);
    Protocol {
        rules: Rules { router, broken: Broken::Nothing },
        from,
        max_deliver: 3,
        patience: Patience { attempts: 2, ..Patience::DEFAULT },
        tries,
        replays: &[],
        left,
        properties: Vec::new(),
    }
}

/// Explores everything; the rules must hold everywhere, and what should be possible must be.
fn holds(name: &str, mut model: Protocol, possible: Vec<Property<Protocol>>) {
    model.properties = checks::rules().into_iter().chain(possible).collect();
    let begun = Instant::now();
    let checker = model.checker().threads(2).spawn_bfs().join();
    let (states, steps, took) = (checker.unique_state_count(), checker.state_count(), begun.elapsed());
    println!("{name}: {states} states, {steps} steps, {} deep, {took:.1?}", checker.max_depth());
    for (property, path) in checker.discoveries() {
        let expected = checks::rules().iter().all(|rule| rule.name != property);
        if !expected {
            let steps: Vec<String> = path.into_actions().iter().map(|step| format!("  {step:?}")).collect();
            panic!("{name}: not true that {property}:\n{}", steps.join("\n"));
        }
    }
    checker.assert_properties();
}

/// With one rule broken, the check must say so.
fn finds(broken: Broken, mut model: Protocol, expected: &[&str]) {
    model.rules.broken = broken;
    model.properties = checks::rules();
    model.properties.retain(|rule| expected.contains(&rule.name));
    // A little deeper each time, so that what is found is the shortest way there.
    let (states, found) = (1..40)
        .find_map(|depth| {
            let one = model.clone().checker().target_max_depth(depth);
            let checker = one.finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
            let found: BTreeMap<_, _> = checker.discoveries().into_iter().collect();
            (!found.is_empty()).then(|| (checker.unique_state_count(), found))
        })
        .unwrap_or_else(|| panic!("{broken:?} is not found"));
    let Some((broke, path)) = found.into_iter().next() else { unreachable!("something was found") };
    let actions = path.into_actions();
    println!("{broken:?}: after {} steps it is no longer true that {broke} ({states} states)", actions.len());
    for action in &actions {
        println!("    {action:?}");
    }
}

fn well(_: Service) -> &'static [Try] {
    &[Try::Done]
}

/// What each service may say, as far as the router tells it apart.
fn mixed(service: Service) -> &'static [Try] {
    match service {
        Service::Extraction => &[Try::Done, Try::Failed(ErrorCode::DocumentBroken, None)],
        Service::Inference => &[Try::Done, Try::Failed(ErrorCode::ContentBlocked, None)],
        Service::Validation => &[Try::Done, Try::Failed(ErrorCode::AnswerInvalid, None)],
        _ => &[Try::Done],
    }
}

/// A provider that asks for patience, a store that is away, an answer that another model must give.
fn waiting(service: Service) -> &'static [Try] {
    match service {
        Service::Inference => &[
            Try::Done,
            Try::Failed(ErrorCode::ProviderRateLimited, Some(60)),
            Try::Failed(ErrorCode::StorageUnavailable, None),
            Try::Failed(ErrorCode::ContentBlocked, None),
        ],
        _ => &[Try::Done],
    }
}

/// A stage, and a router, that may panic.
fn panicking(service: Service) -> &'static [Try] {
    match service {
        Service::Inference | Service::Router => &[Try::Done, Try::Panicked],
        _ => &[Try::Done],
    }
}

const NONE: Left = Left {
    crashes: 0,
    leases: 0,
    hand_backs: 0,
    panics: 0,
    parks: 0,
    lost_acks: 0,
    stale_reads: 0,
    replays: 0,
};

#[test]
fn the_whole_way() {
    let left = Left { crashes: 1, leases: 1, lost_acks: 1, stale_reads: 1, ..NONE };
    let possible = vec![possible::completes(), possible::recovers(), possible::rejects()];
    holds("the whole way", protocol(EventKind::Uploaded, left, mixed), possible);
}

#[test]
fn recovery_rounds() {
    let left = Left { crashes: 1, leases: 1, lost_acks: 1, ..NONE };
    let mut model = protocol(EventKind::Sanitized, left, mixed);
    model.rules.router = router("three", Scope::Fallback);
    let possible = vec![possible::completes(), possible::recovers_twice(), possible::dies_after_two_rounds()];
    holds("recovery rounds", model, possible);
}

#[test]
fn the_whole_recovery_table() {
    let left = Left { crashes: 1, ..NONE };
    let mut model = protocol(EventKind::Sanitized, left, mixed);
    model.rules.router = router("two", Scope::All);
    holds("the whole recovery table", model, vec![possible::completes(), possible::recovers_twice()]);
}

#[test]
fn parking() {
    let left = Left { parks: 2, leases: 1, crashes: 1, lost_acks: 1, ..NONE };
    let from = EventKind::Routed;
    let model = protocol(from, left, waiting);
    holds("parking", model, vec![possible::waits()]);
}

#[test]
fn parking_beside_a_replay() {
    let left = Left { parks: 2, leases: 1, replays: 1, ..NONE };
    let model = Protocol { replays: &[EventKind::Routed], ..protocol(EventKind::Routed, left, waiting) };
    holds("parking beside a replay", model, vec![possible::waits(), possible::overtakes()]);
}

#[test]
fn poison() {
    let left = Left { crashes: 4, leases: 1, hand_backs: 1, ..NONE };
    let model = Protocol { max_deliver: 2, ..protocol(EventKind::Sanitized, left, mixed) };
    holds("poison", model, vec![possible::completes(), possible::poison()]);
}

#[test]
fn panics() {
    let left = Left { crashes: 1, leases: 1, panics: 3, ..NONE };
    let model = Protocol { max_deliver: 2, ..protocol(EventKind::Sanitized, left, panicking) };
    holds("panics", model, vec![possible::completes(), possible::panics()]);
}

#[test]
fn a_replay_beside_a_live_run() {
    let left = Left { replays: 1, leases: 1, ..NONE };
    let replays = &[EventKind::Sanitized, EventKind::Routed, EventKind::Inferred];
    let model = Protocol { replays, ..protocol(EventKind::Sanitized, left, mixed) };
    holds("replay", model, vec![possible::replays(), possible::overtakes()]);
}

#[test]
fn a_replay_with_crashes() {
    let left = Left { replays: 1, crashes: 2, lost_acks: 1, stale_reads: 1, ..NONE };
    let replays = &[EventKind::Sanitized, EventKind::Routed, EventKind::Inferred];
    let model = Protocol { replays, max_deliver: 2, ..protocol(EventKind::Sanitized, left, well) };
    let possible = vec![possible::replays(), possible::overtakes(), possible::poison()];
    holds("replay with crashes", model, possible);
}

#[test]
fn two_replays_at_once() {
    let left = Left { replays: 2, ..NONE };
    let replays = &[EventKind::Routed, EventKind::Inferred];
    let model = Protocol { replays, ..protocol(EventKind::Routed, left, mixed) };
    holds("two replays", model, vec![possible::replays_twice()]);
}

#[test]
fn two_replays_of_different_events() {
    let left = Left { replays: 2, ..NONE };
    let replays = &[EventKind::Uploaded, EventKind::Inferred];
    let model = Protocol { replays, ..protocol(EventKind::Inferred, left, mixed) };
    holds("two replays of different events", model, vec![possible::replays_twice()]);
}

#[test]
fn a_broken_rule_is_found() {
    use Broken as B;
    use checks::{ANSWERED, GOES_ON, NO_BRANCH, ONE_END, ONE_VERDICT};
    let from = EventKind::Sanitized;
    let crash = Left { crashes: 1, ..NONE };
    let zombie = Left { leases: 1, ..NONE };
    let parked = Left { parks: 1, crashes: 1, ..NONE };
    let lost: &[&str] = &[ANSWERED, GOES_ON];
    let split: &[&str] = &[ONE_VERDICT, NO_BRANCH];
    finds(B::AcknowledgeBeforePublish, protocol(from, crash, well), lost);
    finds(B::AcknowledgeBeforeParking, protocol(from, parked, waiting), lost);
    finds(B::NoCompareAndSet, protocol(from, zombie, well), split);
    finds(B::IgnoreAlreadySaid, protocol(from, zombie, well), split);
    finds(B::ConflictMeansSaid, protocol(from, NONE, mixed), lost);
    finds(B::FailureHasItsOwnId, protocol(from, zombie, mixed), split);
    finds(B::IdWithoutRound, protocol(from, NONE, mixed), lost);
    finds(B::RouterIdWithoutHeard, protocol(from, NONE, mixed), lost);
    finds(B::RecoveryKeepsRound, protocol(from, NONE, mixed), lost);
    let poison = Left { crashes: 2, ..NONE };
    finds(B::NobodyHearsAdvisories, Protocol { max_deliver: 2, ..protocol(from, poison, well) }, lost);
    let poison = Left { crashes: 4, ..NONE };
    finds(B::AdvisoriesRunOut, Protocol { max_deliver: 2, ..protocol(from, poison, well) }, lost);
    let parked = Left { parks: 2, leases: 2, ..NONE };
    finds(B::OneScheduleForAll, protocol(from, parked, waiting), lost);
    let replay = Left { replays: 1, ..NONE };
    let again = |left, replays| Protocol { replays, ..protocol(from, left, mixed) };
    finds(B::IdWithoutRun, again(replay, &[EventKind::Routed]), lost);
    let replays = Left { replays: 2, ..NONE };
    let twice = Protocol {
        replays: &[EventKind::Uploaded, EventKind::Inferred],
        ..protocol(EventKind::Inferred, replays, mixed)
    };
    finds(B::RunsAreNotClaimed, twice, &[ONE_END]);
}
