//! Every promise of a delivery, over a real nats-server.

mod common;

use common::{World, act, code, fail};
use millrace_contract::{ErrorCode, EventKind, Service};
use millrace_runtime::{Operator, Which};
use millrace_stage::Saying;
use millrace_testkit::eventually;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_is_said_stored_and_settled() {
    let world = World::new(act(|_| async { Ok(7) })).await;
    let job = world.upload("one").await;
    let verdict = world.verdict(&job).await;
    assert_eq!(verdict.kind, EventKind::Extracted);
    assert_eq!(verdict.id, format!("{job}:extraction:1.0"));
    assert_eq!(verdict.cause, format!("{job}:intake:1.0"));
    let claim = verdict.event.claims["extraction"].clone();
    assert!(claim.key.starts_with("t/extraction/"), "{}", claim.key);
    assert!(world.ports.fetch(&claim).await.is_ok(), "the claim can be redeemed");
    assert_eq!(verdict.event.job.unwrap().pages, 7);
    world.settled().await;
    assert_eq!(world.runs(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn finished_work_is_found_again_by_content() {
    let world = World::new(act(|_| async { Ok(1) })).await;
    let first = world.upload("the same").await;
    world.verdict(&first).await;
    let second = world.upload("the same").await;
    let verdict = world.verdict(&second).await;
    assert_eq!(world.runs(), 1, "the second job reuses the first one's work");
    assert_eq!(verdict.event.claims["extraction"], world.verdict(&first).await.event.claims["extraction"]);
    let other = world.upload("another").await;
    world.verdict(&other).await;
    assert_eq!(world.runs(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_event_twice_is_said_once() {
    let world = World::new(act(|_| async { Ok(1) })).await;
    let job = world.upload("x").await;
    assert_eq!(world.say(&job, "x").await, Saying::SaidBefore);
    world.verdict(&job).await;
    world.settled().await;
    assert_eq!(world.kinds(&job).await, [EventKind::Uploaded, EventKind::Extracted]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_artifact_goes_in_chunks_and_comes_back_whole() {
    let world = World::new(act(|_| async { Ok(1) })).await;
    let text = "0123456789abcdef".repeat(200_000);
    let content = futures_util::stream::iter(
        text.as_bytes()
            .chunks(70_000)
            .map(|chunk| Ok(bytes::Bytes::copy_from_slice(chunk)))
            .collect::<Vec<_>>(),
    );
    let claim = world.ports.store("t", Box::pin(content), 1 << 30).await.unwrap();
    assert_eq!(claim.size, text.len() as u64);
    assert_eq!(world.ports.fetch(&claim).await.unwrap().into_bytes().unwrap(), text.as_bytes());
    let content = futures_util::stream::iter([Ok(text.clone().into_bytes().into())]);
    let error = world.ports.store("t", Box::pin(content), 1 << 20).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::DocumentTooLarge);
}

/// A stage that blocks its thread for three leases, and how often it is run.
async fn blocks_for_three_leases() {
    let world = World::new(act(|_| async {
        std::thread::sleep(Duration::from_secs(3));
        Ok(1)
    }))
    .await;
    let job = world.upload("slow").await;
    world.verdict(&job).await;
    world.settled().await;
    assert_eq!(world.runs(), 1, "the lease was kept: no second delivery");
    assert_eq!(world.kinds(&job).await, [EventKind::Uploaded, EventKind::Extracted]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_blocking_stage_cannot_starve_the_lease() {
    blocks_for_three_leases().await;
}

#[test]
fn nor_on_one_cpu() {
    let me = std::env::current_exe().unwrap();
    let run = Command::new("taskset")
        .args(["-c", "0"])
        .arg(me)
        .args(["--exact", "a_blocking_stage_cannot_starve_the_lease", "--nocapture"])
        .output()
        .expect("taskset, of util-linux");
    let told = String::from_utf8_lossy(&run.stdout);
    assert!(
        run.status.success() && told.contains("1 passed"),
        "{told}{}",
        String::from_utf8_lossy(&run.stderr)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_that_may_pass_are_tried_again_with_the_lease_held() {
    let world = World::new(act(|run| async move {
        if run < 4 { Err(fail(ErrorCode::ProviderOverloaded)) } else { Ok(1) }
    }))
    .await;
    let job = world.upload("x").await;
    let verdict = world.verdict(&job).await;
    assert_eq!((verdict.kind, world.runs()), (EventKind::Extracted, 4));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn patience_ends_and_final_errors_are_not_tried_again() {
    for (error, runs) in
        [(ErrorCode::ProviderOverloaded, 4), (ErrorCode::DocumentBroken, 1), (ErrorCode::ProviderRefused, 1)]
    {
        let world = World::new(act(move |_| async move { Err(fail(error)) })).await;
        let job = world.upload("x").await;
        let verdict = world.verdict(&job).await;
        assert_eq!((verdict.kind, code(&verdict).as_str()), (EventKind::ExtractionFailed, error.name()));
        world.settled().await;
        assert_eq!(world.runs(), runs, "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_waits_are_parked_and_use_up_no_attempt() {
    // Six waits of a second each, where four attempts would be the end. A pause of over 100 ms is parked here.
    let world = World::new(act(|run| async move {
        if run <= 6 {
            Err(fail(ErrorCode::ProviderRateLimited).after(Some(Duration::from_millis(200))))
        } else {
            Ok(1)
        }
    }))
    .await;
    let job = world.upload("x").await;
    eventually("the event to be parked", || async {
        let parked = world.node.broker().count("MILLRACE_INTAKE", "millrace.v1.parked.>").await.ok()?;
        let (_, in_flight) = world.node.broker().backlog(Service::Extraction).await.ok()?;
        (parked == 1 && in_flight == 0).then_some(())
    })
    .await;
    let verdict = world.verdict(&job).await;
    assert_eq!((verdict.kind, world.runs()), (EventKind::Extracted, 7));
    world.settled().await;
    assert_eq!(world.kinds(&job).await, [EventKind::Uploaded, EventKind::Extracted]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_for_a_side_lane_is_handed_to_its_own_deployment() {
    let not_ours = || fail(ErrorCode::DocumentScanned).for_lane("ocr");
    let world =
        World::new(act(move |run| async move { if run == 3 { Ok(1) } else { Err(not_ours()) } })).await;
    let job = world.upload("a scan").await;
    let handed = || async {
        world.node.broker().count("MILLRACE_INTAKE", "millrace.v1.handed.uploaded.ocr.>").await.unwrap()
    };
    eventually("the event to be handed over", || async { (handed().await == 1).then_some(()) }).await;
    world.settled().await;
    assert_eq!(world.kinds(&job).await, [EventKind::Uploaded], "nothing is said before somebody has done it");
    // The same once more, as after a crash between handing over and settling: one copy.
    world.node.broker().redeliver("MILLRACE_INTAKE", "millrace.v1.due.uploaded.default", &job).await.unwrap();
    eventually("the second delivery", || async { (world.runs() == 2).then_some(()) }).await;
    world.settled().await;
    assert_eq!(handed().await, 1);

    // What the sender calls `ocr` is a lane as any other: the deployment for the side lane does not hear it.
    let (runs, mut settings) = (Arc::new(AtomicU32::new(0)), common::settings(&world.nats));
    settings.lanes = vec!["ocr".to_owned()];
    let side = millrace_runtime::Node::start(settings, "test").await.unwrap();
    let act = act(|run| async move {
        match run {
            1 => Err(fail(ErrorCode::ProviderRateLimited).after(Some(Duration::from_millis(200)))),
            2 => Ok(7),
            _ => Err(fail(ErrorCode::DocumentScanned).for_lane("ocr")),
        }
    });
    side.stage(common::TestStage { act, runs: Arc::clone(&runs) }).await.unwrap();
    side.ready();
    let verdict = world.verdict(&job).await;
    assert_eq!((verdict.kind, verdict.event.job.as_ref().unwrap().pages), (EventKind::Extracted, 7));
    assert_eq!(verdict.id, format!("{job}:extraction:1.0"));
    assert_eq!(verdict.event.job.unwrap().lane, "default", "the job goes on in its own lane");
    assert_eq!((world.runs(), runs.load(Ordering::SeqCst)), (2, 2), "it has waited, parked, and come back");
    assert_eq!(world.kinds(&job).await, [EventKind::Uploaded, EventKind::Extracted]);

    let text = world.upload("no scan").await;
    assert_eq!(world.verdict(&text).await.kind, EventKind::Extracted);
    assert_eq!((world.runs(), runs.load(Ordering::SeqCst)), (3, 2));
    // Nobody hands over what was handed to him: it would go round for ever.
    let round = world.upload("another scan").await;
    let verdict = world.verdict(&round).await;
    assert_eq!((verdict.kind, code(&verdict)), (EventKind::ExtractionFailed, "document_scanned".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_is_not_put_out_by_what_waits_later() {
    // The first run is put aside after the second, and comes back before it.
    let wait = |seconds| fail(ErrorCode::ProviderRateLimited).after(Some(Duration::from_secs(seconds)));
    let world = World::new(act(move |run| async move {
        match run {
            1 => {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Err(wait(2))
            }
            2 => Err(wait(6)),
            _ => Ok(1),
        }
    }))
    .await;
    let job = world.upload("x").await;
    eventually("the first run to begin", || async { (world.runs() == 1).then_some(()) }).await;
    let which = Which {
        event: EventKind::Uploaded,
        job: Some(job.clone()),
        tenant: None,
        lane: None,
        since: None,
        fresh: false,
        dry_run: false,
    };
    let replayed = Operator::of(&world.node).unwrap().replay(&which).await.unwrap();
    assert_eq!(replayed.iter().map(|replayed| replayed.run).collect::<Vec<_>>(), [2]);
    let extracted = |run| {
        let (world, job) = (&world, &job);
        eventually("a run's verdict", move || async move {
            let said = world.history(job).await;
            let found = said.iter().find(|said| {
                said.kind == EventKind::Extracted && said.event.job.as_ref().is_some_and(|job| job.run == run)
            });
            found.map(|_| ())
        })
    };
    extracted(1).await;
    extracted(2).await;
    world.settled().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stage_that_always_panics_is_poison() {
    let world = World::new(act(|run| async move { panic!("run {run} went wrong") })).await;
    let job = world.upload("x").await;
    let verdict = world.verdict(&job).await;
    assert_eq!(code(&verdict), "stage_panicked");
    let fact = verdict.event.fact.unwrap().kind.unwrap();
    let (_, failure) = millrace_contract::event::failure(&fact).unwrap();
    assert_eq!((failure.deliveries, failure.message.as_str()), (5, "run 5 went wrong"));
    world.settled().await;
    assert_eq!(world.runs(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stage_that_overruns_its_deadline_is_given_up_and_keeps_its_permit() {
    let world = World::with(
        act(|run| async move {
            if run == 1 {
                std::thread::sleep(Duration::from_secs(4));
            }
            Ok(1)
        }),
        |settings| {
            settings.deadline = Some(Duration::from_secs(1));
            settings.in_flight = Some(1);
        },
    )
    .await;
    let slow = world.upload("slow").await;
    assert_eq!(code(&world.verdict(&slow).await), "deadline_exceeded");
    // The thread is still in the stage: with one permit, nothing else may begin.
    let next = world.upload("next").await;
    assert_eq!(world.runs(), 1);
    assert_eq!(world.verdict(&next).await.kind, EventKind::Extracted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_deliveries_at_work_at_once_leave_one_verdict() {
    // Both hold until both are in: the first behind a lease that was lost, the second the redelivery. One succeeds
    // and one fails; and both reach the log.
    let gate = Arc::new(Semaphore::new(0));
    let inside = Arc::new(AtomicU32::new(0));
    let (gate_in, inside_in) = (Arc::clone(&gate), Arc::clone(&inside));
    let stage = act(move |run| {
        let (gate, inside) = (Arc::clone(&gate_in), Arc::clone(&inside_in));
        async move {
            inside.fetch_add(1, Ordering::SeqCst);
            gate.acquire().await.unwrap().forget();
            if run == 1 { Ok(1) } else { Err(fail(ErrorCode::DocumentBroken)) }
        }
    });
    let world = World::new(Arc::clone(&stage)).await;
    let job = world.upload("x").await;
    eventually("the first to be at work", || async { (inside.load(Ordering::SeqCst) == 1).then_some(()) })
        .await;
    // The same event again, as the broker would send it to another replica after a lost lease.
    world.node.broker().redeliver("MILLRACE_INTAKE", "millrace.v1.due.uploaded.default", &job).await.unwrap();
    eventually("both to be at work", || async { (inside.load(Ordering::SeqCst) == 2).then_some(()) }).await;
    gate.add_permits(2);
    world.verdict(&job).await;
    world.settled().await;
    let kinds = world.kinds(&job).await;
    assert_eq!(kinds.len(), 2, "one verdict, not {kinds:?}");
    assert_eq!(world.runs(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_verdict_stays_one_after_the_duplicate_window() {
    // Streams as a server would have them long after: it remembers no message id at all.
    let world = World::new(act(|_| async { Ok(1) })).await;
    let job = world.upload("x").await;
    world.verdict(&job).await;
    world.node.broker().forget_ids().await.unwrap();
    assert_eq!(world.say(&job, "x").await, Saying::SaidBefore, "the log remembers");
    world.node.broker().redeliver("MILLRACE_INTAKE", "millrace.v1.due.uploaded.default", &job).await.unwrap();
    world.settled().await;
    assert_eq!(world.kinds(&job).await, [EventKind::Uploaded, EventKind::Extracted]);
    assert_eq!(world.runs(), 1, "already done, so not done again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn draining_finishes_what_began_and_hands_back_the_rest() {
    let gate = Arc::new(Semaphore::new(0));
    let gate_in = Arc::clone(&gate);
    let world = World::with(
        act(move |_| {
            let gate = Arc::clone(&gate_in);
            async move {
                gate.acquire().await.unwrap().forget();
                Ok(1)
            }
        }),
        |settings| settings.in_flight = Some(2),
    )
    .await;
    let mut jobs = Vec::new();
    for number in 0..5 {
        jobs.push(world.upload(&format!("document {number}")).await);
    }
    eventually("two to be at work", || async { (world.runs() == 2).then_some(()) }).await;
    let node = Arc::clone(&world.node);
    let drained = tokio::spawn(async move { node.drain().await });
    gate.add_permits(2);
    assert!(drained.await.unwrap(), "all that had begun was finished");
    assert_eq!(world.runs(), 2, "nothing was begun while draining");
    let (pending, in_flight) = world.node.broker().backlog(Service::Extraction).await.unwrap();
    assert_eq!(
        (pending, in_flight),
        (3, 0),
        "the rest is there for the next replica, unacknowledged by nobody"
    );
    let mut said = 0;
    for job in &jobs {
        said += world.kinds(job).await.iter().filter(|kind| **kind == EventKind::Extracted).count();
    }
    assert_eq!(said, 2);
}
