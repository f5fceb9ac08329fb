//! Scanned documents through the whole system, recognised by a deployment of their own.

use integration_tests::{World, sample};
use millrace_contract::wire::fact::Kind;
use millrace_testkit::Service;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scans_are_read_in_a_lane_of_their_own() {
    let world = World::start_with(&[("MILLRACE_EXTRACTION_OCR", "lane")]).await;
    let scanned = world.upload("scanned.pdf", sample("scanned.pdf"), "").await;
    let mixed = world.upload("mixed.pdf", sample("mixed.pdf"), "").await;
    let text = world.upload("invoice.pdf", sample("invoice.pdf"), "").await;
    assert_eq!(world.ended(&text).await["status"], "completed", "what has text waits for nobody");
    tokio::time::sleep(Duration::from_secs(1)).await;
    for job in [&scanned, &mixed] {
        assert_eq!(world.job(job).await["done"], false, "nobody recognises text here");
    }
    let (nats, lane) = (world.nats.url(), "ocr");
    let side = Service::start("extraction", &[("NATS_URL", nats.as_str()), ("MILLRACE_LANES", lane)]);
    side.ready().await;
    for (job, pages, recognised) in [(&scanned, 1, 1), (&mixed, 3, 1)] {
        let ended = world.ended(job).await;
        assert_eq!((&ended["status"], &ended["lane"]), (&"completed".into(), &"default".into()), "{ended}");
        let events = world.events(job).await;
        let said = events.into_iter().find_map(|(_, _, event)| match event.fact?.kind? {
            Kind::Extracted(extracted) => Some(extracted),
            _ => None,
        });
        let said = said.unwrap();
        assert_eq!((said.pages, said.ocr_pages, said.unread_pages), (pages, recognised, 0));
        assert!(said.ocr_ms > 0 && said.engine.contains("tesseract"), "{said:?}");
        let history = world.millrace(&["history", job]);
        let told = String::from_utf8_lossy(&history.stdout);
        assert!(told.contains(&format!("1 of them recognised in {} ms of CPU", said.ocr_ms)), "{told}");
    }
}
