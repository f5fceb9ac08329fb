//! Documents inside documents: each becomes a job of its own, within limits that hold over all depths.

use millrace_contract::{ErrorCode, JobId, Tenant, ids, wire};
use millrace_stage::{Attached, Job, Result, StageError};

use crate::document::ReadError;
use crate::options::Options;
use crate::password::Opener;
use crate::{document, refuse};

/// The options for a job's document: how many documents it may still hold, where it is.
pub(crate) fn within(job: &wire::Job, options: &Options) -> Options {
    let allowed = if job.depth >= options.max_depth { 0 } else { allowance(job, options) };
    Options { max_attachments: options.max_attachments.min(allowed), ..options.clone() }
}

/// How many jobs may be made of what is inside, at any depth: for an upload what the deployment says, for a document
/// inside one what is left of that and was given to it.
fn allowance(job: &wire::Job, options: &Options) -> u32 {
    if job.depth == 0 { options.max_documents } else { job.allowance.min(options.max_documents) }
}

/// Makes jobs of the documents inside; their ids. They get the password that came with the outer one: who encrypts an
/// attachment sends one password for all there is. What is left of the allowance is shared out among them, so that no
/// archive of archives makes more jobs than one upload may.
pub(crate) async fn attach<E>(
    job: &Job<E>,
    attached: &[document::Attached],
    options: &Options,
    passwords: &Opener,
) -> Result<Vec<String>> {
    let tenant = Tenant::new(&job.known.tenant)
        .map_err(|error| StageError::new(ErrorCode::EventInvalid, error.to_string()))?;
    let mut ids = Vec::with_capacity(attached.len());
    let each = share(allowance(&job.known, options), attached.len());
    for (number, document::Attached { name, content }) in (0..).zip(attached) {
        let content = content.content().map_err(|error| -> StageError { refuse(ReadError::Io(error)) })?;
        let id = JobId::of_key(&tenant, &ids::part_key(&job.known.id, number)).to_string();
        let password = passwords.hand_on(options.password.as_ref(), tenant.as_str(), &id)?;
        let attached = Attached { number, name: name.clone(), content, allowance: each, password };
        ids.push(job.attach(attached).await?);
    }
    Ok(ids)
}

fn share(allowance: u32, among: usize) -> u32 {
    let among = u32::try_from(among).unwrap_or(u32::MAX);
    allowance.saturating_sub(among).checked_div(among).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_allowance_holds_over_all_depths() {
        let options =
            Options { max_depth: 3, max_documents: 1000, max_attachments: 100, ..Options::default() };
        // Archives of archives, each as full as it may be.
        let (mut level, mut made) = (vec![(0u32, 0u32)], 0u32);
        while let Some((depth, given)) = level.pop() {
            let job = wire::Job { depth, allowance: given, ..wire::Job::default() };
            let inside = within(&job, &options).max_attachments;
            made += inside;
            let each = share(allowance(&job, &options), inside as usize);
            level.extend((0..inside).map(|_| (depth + 1, each)));
        }
        assert_eq!(made, 1000);
        let deep = wire::Job { depth: 3, allowance: 50, ..wire::Job::default() };
        assert_eq!(within(&deep, &options).max_attachments, 0);
    }
}
