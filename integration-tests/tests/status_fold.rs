//! The status is a fold over a job's events in any order, any of them any number of times: at the end it is the same.

use millrace_contract::status::Status;
use millrace_contract::wire::fact::Kind;
use millrace_contract::wire::{self, Claim, Dead, Event, Fact, Job, Rejected, StageFailed};
use millrace_contract::{EventKind, Service, event};
use proptest::collection::vec;
use proptest::prelude::*;

/// One event with its message id.
type Said = (String, Event);

/// How one round goes.
#[derive(Debug, Clone)]
enum Round {
    /// Fails in the model's answer; another round follows.
    Again,
    /// Ends.
    Ends(EventKind),
    /// Is not over, or was overtaken.
    Stops(u8),
}

fn rounds() -> impl Strategy<Value = Vec<Round>> {
    let end = prop_oneof![
        Just(EventKind::Completed).prop_map(Round::Ends),
        Just(EventKind::Rejected).prop_map(Round::Ends),
        Just(EventKind::Dead).prop_map(Round::Ends),
        (0u8..6).prop_map(Round::Stops),
    ];
    (vec(Just(Round::Again), 0..3), end).prop_map(|(mut rounds, end)| {
        rounds.push(end);
        rounds
    })
}

fn fact(kind: EventKind) -> Kind {
    let failed =
        || StageFailed { code: "answer_invalid".into(), message: kind.token().into(), ..Default::default() };
    match kind {
        EventKind::Uploaded => wire::Uploaded::default().into(),
        EventKind::Extracted => wire::Extracted { pages: 3, ..Default::default() }.into(),
        EventKind::Sanitized => {
            wire::Sanitized { language: "en".into(), tokens: 9, ..Default::default() }.into()
        }
        EventKind::Routed => wire::Routed { profile: "contract".into(), ..Default::default() }.into(),
        EventKind::Inferred => {
            wire::Inferred { model: "pro".into(), cost_microusd: 7, ..Default::default() }.into()
        }
        EventKind::Completed => wire::Completed::default().into(),
        EventKind::Rejected => {
            Rejected { code: "document_broken".into(), stage: "extraction".into(), ..Default::default() }
                .into()
        }
        EventKind::Dead => {
            Dead { code: "internal".into(), stage: "inference".into(), ..Default::default() }.into()
        }
        EventKind::Unpacked => wire::Unpacked { documents: 2 }.into(),
        kind => event::failed(kind.speaker(), failed()).expect("the rest are failures"),
    }
}

/// A job's history in the order in which it was said, as the choreography would have it.
fn history() -> impl Strategy<Value = Vec<Said>> {
    // Clocks differ: times go up and down.
    (vec(rounds(), 1..4), vec(0u64..1000, 64)).prop_map(|(runs, times)| {
        let mut history: Vec<Said> = Vec::new();
        for (run, rounds) in (1..).zip(runs) {
            let mut job = Job { id: "j".into(), tenant: "t".into(), run, ..Job::default() };
            let mut say = |kind: EventKind, round: u32| {
                let fact = fact(kind);
                job.round = round;
                event::absorb(&mut job, &fact);
                let id = format!("j:{}:{run}.{round}:{}", kind.speaker().name(), kind.token());
                let claim =
                    Claim { key: format!("t/{}/{run}.{round}", kind.speaker().name()), ..Claim::default() };
                let event = Event {
                    job: Some(job.clone()),
                    at_ms: times[history.len() % times.len()],
                    claims: [(kind.speaker().name().to_owned(), claim)].into(),
                    fact: Some(Fact { kind: Some(fact) }),
                };
                history.push((id, event));
            };
            use EventKind as E;
            for (round, how) in (0..).zip(rounds) {
                let begin: &[E] = if round == 0 {
                    &[E::Uploaded, E::Extracted, E::Sanitized, E::Routed]
                } else {
                    &[E::Routed]
                };
                let rest: &[E] = match how {
                    Round::Again => &[E::Inferred, E::ValidationFailed],
                    Round::Ends(E::Completed) => &[E::Inferred, E::Completed],
                    Round::Ends(E::Rejected) => &[E::InferenceFailed, E::Rejected],
                    Round::Ends(_) => &[E::Inferred, E::ValidationFailed, E::Dead],
                    Round::Stops(_) => &[E::Inferred],
                };
                let most = if let Round::Stops(most) = how { usize::from(most) + 1 } else { usize::MAX };
                begin.iter().chain(rest).take(most).for_each(|&kind| say(kind, round));
            }
        }
        history
    })
}

/// A history, and the same in any order with any of it again.
fn muddled() -> impl Strategy<Value = (Vec<Said>, Vec<Said>)> {
    history().prop_flat_map(|history| {
        let again = vec(0..history.len(), 0..12);
        (Just(history), again).prop_flat_map(|(history, again)| {
            let mut all = history.clone();
            all.extend(again.into_iter().map(|at| history[at].clone()));
            (Just(history), Just(all).prop_shuffle())
        })
    })
}

/// Statuses that no protocol would give: versions shared by what differs in everything else.
fn anything() -> impl Strategy<Value = Status> {
    let kinds = proptest::sample::select(EventKind::ALL);
    (kinds, 1u32..4, 0u32..2, 0u64..4, 0u64..3, 0u8..2).prop_map(|(kind, run, round, at_ms, tokens, id)| {
        let job = Job { id: "j".into(), run, round, tokens, ..Job::default() };
        let event = Event {
            job: Some(job),
            at_ms,
            fact: Some(Fact { kind: Some(fact(kind)) }),
            claims: Default::default(),
        };
        Status::of(&id.to_string(), &event).expect("a whole event")
    })
}

fn statuses(said: &[Said]) -> impl Iterator<Item = Status> + '_ {
    said.iter().map(|(id, event)| Status::of(id, event).expect("a whole event"))
}

fn folded(said: &[Said]) -> Status {
    statuses(said).reduce(Status::fold).expect("a history begins")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn any_order_and_any_repetition_folds_to_the_same((history, muddled) in muddled()) {
        let (status, other) = (folded(&history), folded(&muddled));
        prop_assert_eq!(&status, &other);
        // And so does a status that was kept and goes on from there, or that two of us folded in halves.
        let (left, right) = muddled.split_at(muddled.len() / 2);
        if let (Some(left), Some(right)) =
            (statuses(left).reduce(Status::fold), statuses(right).reduce(Status::fold))
        {
            prop_assert_eq!(left.fold(right), status);
        }
    }

    #[test]
    fn it_is_a_maximum_whatever_comes(a in anything(), b in anything(), c in anything()) {
        prop_assert_eq!(a.clone().fold(a.clone()), a.clone());
        prop_assert_eq!(a.clone().fold(b.clone()), b.clone().fold(a.clone()));
        let (left, right) = (a.clone().fold(b.clone()).fold(c.clone()), a.fold(b.fold(c)));
        prop_assert_eq!(left, right);
    }

    #[test]
    fn nothing_moves_backwards((history, muddled) in muddled()) {
        for said in [history, muddled] {
            let mut shown: Option<Status> = None;
            for next in statuses(&said) {
                let now = match shown.clone() { Some(shown) => shown.fold(next), None => next };
                if let Some(before) = shown {
                    prop_assert!(before.version <= now.version);
                    prop_assert!(before.run() <= now.run());
                    if before.run() == now.run() {
                        prop_assert!(before.progress <= now.progress, "progress fell");
                        prop_assert!(before.updated_at_ms <= now.updated_at_ms, "the clock went back");
                        prop_assert!(!before.is_end() || now.is_end(), "an end came undone");
                    }
                }
                shown = Some(now);
            }
        }
    }

    #[test]
    fn an_end_wins_in_its_run(status in anything(), others in vec(anything(), 1..8)) {
        let all = || others.iter().cloned().chain([status.clone()]);
        let last = all().map(|status| status.run()).max().unwrap_or(0);
        let ended = all().any(|status| status.run() == last && status.is_end());
        let folded = all().reduce(Status::fold).expect("at least one");
        prop_assert_eq!((folded.run(), folded.is_end()), (last, ended));
        prop_assert!(!ended || folded.progress == 100);
    }
}

#[test]
fn in_order_progress_is_that_of_the_last_event_said() {
    use EventKind as E;
    let way = [E::Uploaded, E::Extracted, E::Sanitized, E::Routed, E::Inferred, E::Completed];
    let mut before = 0;
    for kind in way {
        let event = Event {
            job: Some(Job { id: "j".into(), run: 1, ..Job::default() }),
            fact: Some(Fact { kind: Some(fact(kind)) }),
            ..Event::default()
        };
        let status = Status::of("id", &event).expect("a whole event");
        assert!(status.progress > before, "{kind:?}");
        before = status.progress;
    }
    assert_eq!(before, 100);
    assert_eq!(Service::Validation.hop().progress_after(), 100);
}
