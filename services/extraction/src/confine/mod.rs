//! How a child binds itself before it reads the first byte: limits of the system, no path, no network, no
//! program. What it can still do is compute, and write to the streams it was given.

#[cfg(target_os = "linux")]
mod calls;
#[cfg(target_os = "linux")]
mod paths;

use rustix::process::{Resource, Rlimit, Signal, getrlimit, set_parent_process_death_signal, setrlimit};

use crate::limits::Order;

/// A child needs its three standard streams and nothing else; a few spare for the runtime.
const OPEN_FILES: u64 = 16;

/// Processor time granted for each page beyond the basic allowance. Engines take 1 to 7 ms a page.
const CPU_MILLIS_A_PAGE: u64 = 50;

/// Binds the calling process to the order for the rest of its life. `mapped` bytes of its address space are the document,
/// which takes no memory of its own.
///
/// # Errors
/// If the system refuses, as it does when the limits of the parent are tighter still.
pub fn confine(order: &Order, mapped: u64) -> std::io::Result<()> {
    bounds(order.memory_bytes.saturating_add(mapped))?;
    bind(Resource::Nofile, OPEN_FILES)?;
    // The soft limit grows with the pages, so the hard one leaves room for as many as there may be.
    let most =
        order.cpu_seconds.saturating_add(u64::from(order.pages).saturating_mul(CPU_MILLIS_A_PAGE) / 1000);
    let hard = getrlimit(Resource::Cpu).maximum.map_or(most, |maximum| maximum.min(most));
    setrlimit(Resource::Cpu, Rlimit { current: Some(order.cpu_seconds.min(hard)), maximum: Some(hard) })?;
    // Last, as it forbids most calls that the others are made of.
    #[cfg(target_os = "linux")]
    {
        paths::forbid()?;
        calls::forbid()?;
    }
    Ok(())
}

/// Binds the calling process before it becomes a program of somebody else's that reads what a document has made: it
/// may read the files of the system, its own and its data, and write none; it has no network.
///
/// # Errors
/// As [`confine`].
pub fn confine_program(memory_bytes: u64, cpu_seconds: u64) -> std::io::Result<()> {
    bounds(memory_bytes)?;
    bind(Resource::Cpu, cpu_seconds)?;
    #[cfg(target_os = "linux")]
    {
        paths::forbid_changes()?;
        calls::forbid_network()?;
    }
    Ok(())
}

fn bounds(memory_bytes: u64) -> std::io::Result<()> {
    // The parent kills at the wall limit; if the parent is gone nobody would.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    bind(Resource::As, memory_bytes)?;
    // Dumps would hold the document.
    bind(Resource::Core, 0)?;
    // Pipes are not files: the child may answer, but not write anything to a disk.
    bind(Resource::Fsize, 0)
}

/// What this system cannot do to confine a child, by name; its limits hold everywhere.
#[must_use]
pub fn missing() -> Vec<&'static str> {
    let mut missing = Vec::new();
    #[cfg(target_os = "linux")]
    {
        missing.extend((!paths::supported()).then_some("landlock"));
        missing.extend((!calls::supported()).then_some("seccomp"));
    }
    #[cfg(not(target_os = "linux"))]
    missing.extend(["landlock", "seccomp"]);
    missing
}

/// Grants the processor time that this many pages may take.
///
/// # Errors
/// If the system refuses.
pub fn grant_cpu(order: &Order, pages: u32) -> std::io::Result<()> {
    let wanted = order.cpu_seconds.saturating_add(u64::from(pages).saturating_mul(CPU_MILLIS_A_PAGE) / 1000);
    let limit = getrlimit(Resource::Cpu);
    let current = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
    setrlimit(Resource::Cpu, Rlimit { current: Some(current), maximum: limit.maximum })?;
    Ok(())
}

fn bind(resource: Resource, wanted: u64) -> std::io::Result<()> {
    // A container may have set less already; raising is neither allowed nor wanted.
    let value = getrlimit(resource).maximum.map_or(wanted, |maximum| maximum.min(wanted));
    setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) })?;
    Ok(())
}
