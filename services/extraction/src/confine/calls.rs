//! No call that reading does not take. The list says what is allowed, so that whatever a kernel learns is
//! forbidden by itself; anything else ends the process with SIGSYS.

use std::io;
use std::process;

use libc::c_long;
use seccompiler::SeccompCmpArgLen::{Dword, Qword};
use seccompiler::SeccompCmpOp::{Eq, MaskedEq};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch,
};

/// Allowed whatever the arguments: memory, waiting, and the streams that are open.
const FREE: &[c_long] = &[
    libc::SYS_brk,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_close,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_fstat,
    libc::SYS_futex,
    libc::SYS_getpid,
    libc::SYS_getrandom,
    libc::SYS_gettid,
    libc::SYS_lseek,
    libc::SYS_madvise,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_nanosleep,
    libc::SYS_pread64,
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_set_robust_list,
    libc::SYS_sigaltstack,
    libc::SYS_write,
    libc::SYS_writev,
];

/// Whether the kernel has seccomp, and the crate knows this processor.
pub fn supported() -> bool {
    rustix::thread::secure_computing_mode().is_ok() && arch().is_some()
}

/// Forbids everything else, for this thread and those it starts. Without seccomp nothing happens.
pub fn forbid() -> io::Result<()> {
    if !supported() {
        return Ok(());
    }
    // Of two filters the stricter answer counts.
    for filter in [no_clone3(), allowed()] {
        let program: BpfProgram = filter.map_err(io::Error::other)?;
        seccompiler::apply_filter(&program).map_err(io::Error::other)?;
    }
    Ok(())
}

/// Forbids what leads out of the machine or into another process, and leaves the rest: of a program that is not ours
/// nobody knows all calls.
pub fn forbid_network() -> io::Result<()> {
    if !supported() {
        return Ok(());
    }
    let calls = [
        libc::SYS_socket,
        libc::SYS_socketpair,
        libc::SYS_io_uring_setup,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_pidfd_getfd,
        libc::SYS_bpf,
        libc::SYS_userfaultfd,
        libc::SYS_kill,
        libc::SYS_tkill,
    ];
    let rules = calls.map(|call| (call, Vec::new()));
    let program =
        compile(rules, SeccompAction::Allow, SeccompAction::KillProcess).map_err(io::Error::other)?;
    seccompiler::apply_filter(&program).map_err(io::Error::other)
}

fn arch() -> Option<TargetArch> {
    TargetArch::try_from(std::env::consts::ARCH).ok()
}

type Filter = Result<BpfProgram, seccompiler::BackendError>;

/// Threads are started by `clone3`, whose arguments a filter cannot see; without it the C library takes
/// `clone`, whose flags it can.
fn no_clone3() -> Filter {
    let rules = [(libc::SYS_clone3, Vec::new())];
    compile(rules, SeccompAction::Allow, SeccompAction::Errno(libc::ENOSYS.unsigned_abs()))
}

fn allowed() -> Filter {
    let free = FREE.iter().map(|call| (*call, Vec::new()));
    let itself = u64::from(process::id());
    let within = [
        (libc::SYS_clone3, Vec::new()), // answered by the other filter
        // Threads, no processes.
        (
            libc::SYS_clone,
            vec![when(0, Qword, MaskedEq(flag(libc::CLONE_THREAD)), flag(libc::CLONE_THREAD))?],
        ),
        // Data, no code.
        (libc::SYS_mmap, vec![when(2, Dword, MaskedEq(flag(libc::PROT_EXEC)), 0)?]),
        (libc::SYS_mprotect, vec![when(2, Dword, MaskedEq(flag(libc::PROT_EXEC)), 0)?]),
        // A thread's name.
        (libc::SYS_prctl, vec![when(0, Dword, Eq, flag(libc::PR_SET_NAME))?]),
        // Limits of its own, which only grow within the hard ones.
        (libc::SYS_prlimit64, vec![when(0, Dword, Eq, 0)?]),
        // An abort.
        (libc::SYS_tgkill, vec![when(0, Dword, Eq, itself)?]),
        // What a stream is, which the C library asks in this way: by no path and the stream's number. A path
        // beside the flag would tell that a file is there, not what is in it.
        (
            libc::SYS_newfstatat,
            vec![when(3, Dword, MaskedEq(flag(libc::AT_EMPTY_PATH)), flag(libc::AT_EMPTY_PATH))?],
        ),
        (
            libc::SYS_statx,
            vec![when(2, Dword, MaskedEq(flag(libc::AT_EMPTY_PATH)), flag(libc::AT_EMPTY_PATH))?],
        ),
    ];
    compile(free.chain(within), SeccompAction::KillProcess, SeccompAction::Allow)
}

fn compile(
    rules: impl IntoIterator<Item = (c_long, Vec<SeccompRule>)>,
    otherwise: SeccompAction,
    on_match: SeccompAction,
) -> Filter {
    let arch = arch()
        .ok_or_else(|| seccompiler::BackendError::InvalidTargetArch(std::env::consts::ARCH.to_owned()))?;
    SeccompFilter::new(rules.into_iter().collect(), otherwise, on_match, arch)?.try_into()
}

/// A rule on one argument.
fn when(
    argument: u8,
    length: SeccompCmpArgLen,
    compare: SeccompCmpOp,
    value: u64,
) -> Result<SeccompRule, seccompiler::BackendError> {
    SeccompRule::new(vec![SeccompCondition::new(argument, length, compare, value)?])
}

fn flag(of_the_system: i32) -> u64 {
    u64::from(of_the_system.unsigned_abs())
}
