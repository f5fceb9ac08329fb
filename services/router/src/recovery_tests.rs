//! The recovery table, row by row, and what must hold for any sequence of failures.

use super::*;

const POLICY: Policy = Policy { scope: Scope::All, first_wait: 30 };

fn job() -> Job {
    let list = |aliases: &[&str]| aliases.iter().map(|&alias| alias.to_owned()).collect();
    Job {
        models: list(&["pro", "flash", "other"]),
        long_models: list(&["wide"]),
        policy_models: list(&["claude"]),
        ..Job::default()
    }
}

fn failed(code: ErrorCode) -> StageFailed {
    let fault = Fault { prompt: "terms".into(), code: code.name().into(), ..Fault::default() };
    StageFailed { code: code.name().into(), faults: vec![fault], ..StageFailed::default() }
}

/// What is done about the same error, again and again, until the router gives up.
fn course(code: ErrorCode, mut job: Job) -> Vec<String> {
    let mut course = Vec::new();
    while course.len() < 500 {
        match recover(Service::Inference, &failed(code), &job, POLICY) {
            Recovery::Again { remedies, .. } => {
                assert_eq!(remedies.len(), 1);
                course.push(format!("{} {}", remedies[0].action, remedies[0].argument).trim().to_owned());
                job.remedies.extend(remedies);
                job.round += 1;
            }
            Recovery::Reject => panic!("{code} is nobody's document's fault"),
            Recovery::GiveUp => return course,
        }
    }
    panic!("{code} never ends: {course:?}");
}

#[test]
fn table() {
    let flex = Job { tier: "flex".into(), ..job() };
    // Another model has other limits: it is asked with the whole schema first.
    let form = ["simplify_schema", "json_mode"];
    let simpler = [&form[..], &["switch_model flash"], &form, &["switch_model other"], &form].concat();
    for (code, job, expected) in [
        (E::ProviderAuth, job(), &["switch_model flash", "switch_model other"][..]),
        (E::ModelUnknown, job(), &["switch_model flash", "switch_model other"]),
        (E::ProviderRefused, job(), &simpler),
        (E::SchemaTooComplex, job(), &simpler),
        (
            E::ContextTooLong,
            job(),
            &["switch_model wide", "shorten", "split 2", "split 4", "split 8", "split 16", "split 32"],
        ),
        (
            E::AnswerTruncated,
            job(),
            &["raise_output_limit 2", "split 2", "split 4", "switch_model flash", "switch_model other"],
        ),
        (
            E::ContentBlocked,
            job(),
            &["rephrase", "switch_model claude", "redact_more", "switch_model flash", "switch_model other"],
        ),
        (
            E::AnswerRecited,
            job(),
            &["evidence_ids_only", "switch_model flash", "switch_model other", "switch_model claude"],
        ),
        (E::AnswerEmpty, job(), &["again", "switch_model flash", "again", "switch_model other"]),
        (
            E::AnswerMalformed,
            job(),
            &["re_ask", "switch_model flash", "re_ask", "switch_model other", "json_mode"],
        ),
        (E::AnswerInconsistent, job(), &["re_ask"]),
        (E::JobBudgetExceeded, job(), &[]),
        (E::StagePanicked, job(), &[]),
        (E::Internal, job(), &[]),
    ] {
        assert_eq!(course(code, job), expected, "{code}");
    }
    assert_eq!(
        course(E::ProviderOverloaded, flex)[..3],
        ["standard_tier", "switch_model flash", "switch_model other"]
    );
}

#[test]
fn a_part_that_fails_leaves_the_others_as_they_are() {
    let part = |part, code: ErrorCode| {
        let mut failure = failed(code);
        (failure.faults[0].part, failure.faults[0].parts) = (part, 5);
        failure
    };
    let mut job = job();
    let mut then = |failure: StageFailed| match recover(Service::Inference, &failure, &job, POLICY) {
        Recovery::Again { remedies, .. } => {
            job.remedies.extend(remedies.clone());
            format!("{} {} in {}", remedies[0].action, remedies[0].argument, remedies[0].part)
        }
        other => format!("{other:?}"),
    };
    assert_eq!(then(part(3, E::AnswerTruncated)), "raise_output_limit 2 in 3");
    assert_eq!(then(part(4, E::AnswerTruncated)), "raise_output_limit 2 in 4", "it has not been tried there");
    assert_eq!(then(part(4, E::ContextTooLong)), "switch_model wide in 4");
    assert_eq!(then(part(1, E::ContextTooLong)), "switch_model wide in 1");
    assert_eq!(then(part(1, E::ContextTooLong)), "shorten  in 1");
    assert_eq!(then(part(1, E::ContextTooLong)), "GiveUp", "two kinds of recovery for a prompt");
}

#[test]
fn there_are_more_parts_than_before() {
    let mut failure = failed(E::ContextTooLong);
    failure.faults[0].parts = 5;
    let job = Job { long_models: Vec::new(), ..job() };
    let shorten = Remedy { prompt: "terms".into(), action: "shorten".into(), ..Remedy::default() };
    let job = Job { remedies: vec![shorten], ..job };
    let Recovery::Again { remedies, .. } = recover(Service::Inference, &failure, &job, POLICY) else {
        panic!()
    };
    assert_eq!((remedies[0].action.as_str(), remedies[0].argument.as_str()), ("split", "10"));
}

#[test]
fn outages_are_waited_for_and_then_the_first_model_has_another_chance() {
    let course = course(E::ProviderOverloaded, job());
    let expected = [
        "switch_model flash",
        "switch_model other",
        "wait 30",
        "switch_model flash",
        "switch_model other",
        "wait 60",
    ];
    assert_eq!(course[..6], expected);
    assert_eq!(course.iter().filter(|step| step.starts_with("wait")).count(), MAX_WAITS);
    assert!(course.iter().any(|step| step == "wait 900"));
}

#[test]
fn a_model_that_is_not_there_is_not_tried_again_after_a_wait() {
    let mut job = job();
    let mut then = |code| match recover(Service::Inference, &failed(code), &job, POLICY) {
        Recovery::Again { remedies, .. } => {
            job.remedies.extend(remedies.clone());
            remedies[0].argument.clone()
        }
        _ => "end".to_owned(),
    };
    assert_eq!(then(E::ProviderOverloaded), "flash");
    assert_eq!(then(E::ModelUnknown), "other");
    assert_eq!(then(E::ProviderOverloaded), "30");
    assert_eq!(then(E::ProviderOverloaded), "other", "flash does not exist, and will not for the waiting");
}

#[test]
fn advice_is_followed_once_and_only_from_the_list() {
    let mut failure = failed(E::ProviderRefused);
    failure.faults[0].advice = "shorten".into();
    let Recovery::Again { remedies, .. } = recover(Service::Inference, &failure, &job(), POLICY) else {
        panic!()
    };
    assert_eq!(remedies[0].action, "shorten");
    let again = Job { remedies, ..job() };
    let Recovery::Again { remedies, .. } = recover(Service::Inference, &failure, &again, POLICY) else {
        panic!()
    };
    assert_eq!(remedies[0].action, "simplify_schema", "never the same twice");
    failure.faults[0].advice = "rm -rf".into();
    let Recovery::Again { remedies, .. } = recover(Service::Inference, &failure, &job(), POLICY) else {
        panic!()
    };
    assert_eq!(remedies[0].action, "simplify_schema");
}

#[test]
fn every_failing_prompt_has_its_remedy_and_one_without_ends_the_run() {
    let mut failure = failed(E::AnswerMalformed);
    let mut other = failure.faults[0].clone();
    (other.prompt, other.code) = ("risks".into(), E::AnswerRecited.name().into());
    failure.faults.push(other);
    let Recovery::Again { remedies, wait_ms } = recover(Service::Inference, &failure, &job(), POLICY) else {
        panic!()
    };
    let told: Vec<_> =
        remedies.iter().map(|remedy| (remedy.prompt.as_str(), remedy.action.as_str())).collect();
    assert_eq!((told, wait_ms), (vec![("terms", "re_ask"), ("risks", "evidence_ids_only")], 0));
    failure.faults[1].code = E::JobBudgetExceeded.name().into();
    assert_eq!(recover(Service::Inference, &failure, &job(), POLICY), Recovery::GiveUp);
}

#[test]
fn every_code_has_an_answer_in_every_stage() {
    for &code in ErrorCode::ALL {
        for &stage in Service::ALL {
            let after = recover(stage, &failed(code), &job(), POLICY);
            assert_eq!(after == Recovery::Reject, code.disposition() == Disposition::Reject);
            let asked = matches!(stage, Service::Inference | Service::Validation);
            assert!(asked || !matches!(after, Recovery::Again { .. }), "{stage:?} {code}");
        }
        if code.disposition() != Disposition::Reject {
            course(code, job());
        }
    }
}

#[test]
fn an_operator_may_want_less() {
    let of = |scope| match recover(
        Service::Inference,
        &failed(E::AnswerMalformed),
        &job(),
        Policy { scope, ..POLICY },
    ) {
        Recovery::Again { remedies, .. } => remedies[0].action.clone(),
        _ => "end".to_owned(),
    };
    assert_eq!([of(Scope::All), of(Scope::Fallback), of(Scope::Off)], ["re_ask", "switch_model", "end"]);
}
