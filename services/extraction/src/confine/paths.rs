//! No path: landlock takes away what the process could open, create, run or connect to by name. The streams it
//! holds stay open.

use std::io;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetError, Scope, path_beneath_rules,
};

/// Everything this version of the crate knows of; a kernel that knows less forbids that.
const EVERYTHING: ABI = ABI::V10;

/// Whether the kernel has landlock, and it is switched on.
pub fn supported() -> bool {
    // Nothing is restricted by a set that nobody applies.
    let oldest = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    oldest.handle_access(AccessFs::from_all(ABI::V1)).and_then(Ruleset::create).is_ok()
}

/// Forbids every path and every connection, as far as the kernel knows how. Without landlock nothing happens.
pub fn forbid() -> io::Result<()> {
    apply(None)
}

/// Forbids every change and every connection: files can be read and run.
pub fn forbid_changes() -> io::Result<()> {
    apply(Some("/"))
}

fn apply(readable: Option<&str>) -> io::Result<()> {
    let rules = || -> Result<_, RulesetError> {
        let mut rules = Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(EVERYTHING))?
            .handle_access(AccessNet::from_all(EVERYTHING))?
            .scope(Scope::from_all(EVERYTHING))?
            .create()?;
        if let Some(readable) = readable {
            rules = rules.add_rules(path_beneath_rules([readable], AccessFs::from_read(EVERYTHING)))?;
        }
        rules.restrict_self()
    };
    rules().map(drop).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_found_by_name_any_more() {
        if !supported() {
            println!("without landlock there is nothing to test");
            return;
        }
        let own = std::env::current_exe().expect("a path");
        assert!(std::fs::File::open(&own).is_ok());
        // It binds the thread that asks for it, not the other tests.
        let confined = std::thread::spawn(move || {
            forbid().expect("confined");
            let file = std::fs::File::open(&own).expect_err("forbidden");
            let network = std::net::TcpListener::bind("127.0.0.1:0").expect_err("forbidden");
            (file.kind(), network.kind())
        });
        let (file, network) = confined.join().expect("no panic");
        assert_eq!(file, io::ErrorKind::PermissionDenied);
        assert_eq!(network, io::ErrorKind::PermissionDenied, "kernels before 6.7 have no rules for it");
    }
}
