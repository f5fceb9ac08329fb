//! What processes have used, as the kernel counts it.

/// CPU seconds of a process, its ended children included.
#[derive(Debug, Clone, Copy)]
pub struct Usage(f64);

impl Usage {
    /// CPU seconds since then.
    pub fn since(self, before: &Usage) -> f64 {
        self.0 - before.0
    }
}

/// User and system time of a process so far. The kernel counts in ticks of 10 ms.
pub fn usage(pid: u32) -> Usage {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name, in parentheses, may hold anything.
    let fields: Vec<f64> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(11)
        .take(4)
        .filter_map(|field| field.parse().ok())
        .collect();
    Usage(fields.iter().sum::<f64>() / 100.0)
}

/// Resident memory now, MB.
pub fn rss_mb(pid: u32) -> f64 {
    status(pid, "VmRSS:")
}

/// Highest resident memory so far, MB.
pub fn peak_mb(pid: u32) -> f64 {
    status(pid, "VmHWM:")
}

/// Memory now that is the process's own, MB.
pub fn own_mb(pid: u32) -> f64 {
    status(pid, "RssAnon:")
}

/// Memory now that is copies of files, MB: the kernel takes it back when it needs it.
pub fn mapped_mb(pid: u32) -> f64 {
    status(pid, "RssFile:") + status(pid, "RssShmem:")
}

fn status(pid: u32, field: &str) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(field)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}
