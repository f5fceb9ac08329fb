//! A reading process that has been taken over by its document and asks the system for more than reading takes.
//! A program of its own: called by itself it runs the tests, called by them it is the child.

#![expect(clippy::print_stdout, reason = "it is its own test harness")]

use std::process::ExitCode;

use millrace_extraction::limits::Order;
use millrace_extraction::pdf::EngineChoice;
use millrace_extraction::{MediaType, Options, ReadError, Source, child, confine, read_whole};

/// What a document of this test may say, and what the child then tries.
const DEEDS: [(&str, fn()); 8] = [
    ("open a file", || drop(std::fs::File::open("/etc/passwd"))),
    ("write a file", || drop(std::fs::write("/tmp/millrace-confined", "x"))),
    ("list files", || drop(std::fs::read_dir("/"))),
    ("ask the network", || drop(std::net::TcpStream::connect("127.0.0.1:4222"))),
    ("listen", || drop(std::net::UdpSocket::bind("127.0.0.1:0"))),
    ("run a program", || drop(std::process::Command::new("/bin/true").status())),
    ("become a program", || {
        drop(std::os::unix::process::CommandExt::exec(&mut std::process::Command::new("/bin/true")));
    }),
    ("kill its parent", || {
        let parent = rustix::process::getppid().expect("a parent");
        rustix::process::kill_process(parent, rustix::process::Signal::KILL).expect("never reached");
    }),
];

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == child::CHILD_ARGUMENT) {
        let order = Order::from_args(arguments).expect("an order");
        confine::confine(&order, 0).expect("confined");
        return taken_over();
    }
    let missing = confine::missing();
    assert!(!missing.contains(&"seccomp"), "this test is about seccomp: {missing:?}");
    for (deed, _) in DEEDS {
        let outcome = attempt(deed);
        assert!(matches!(outcome, Err(ReadError::Forbidden)), "{deed}: {outcome:?}");
        println!("test {deed} ... forbidden");
    }
    // The same child, asked for nothing that is forbidden, ends by itself: what killed the others was the deed.
    for harmless in ["nothing", "start a thread", "ask for memory"] {
        let outcome = attempt(harmless);
        assert!(
            matches!(&outcome, Err(ReadError::ChildDied(cause)) if cause == "exit 7"),
            "{harmless}: {outcome:?}"
        );
        println!("test {harmless} ... allowed");
    }
    ExitCode::SUCCESS
}

/// Has this program, as a child, read a document that says what to do.
fn attempt(deed: &str) -> Result<(), ReadError> {
    let options = Options {
        child_program: Some(std::env::current_exe().expect("a path")),
        // A reading that would be repeated by another engine, if the cause allowed it.
        pdf_engine: EngineChoice::Auto,
        ..Options::default()
    };
    read_whole(MediaType::Pdf, Source::Bytes(deed.as_bytes()), &options, &mut |_, _| {}).map(drop)
}

/// What a document of the harmless kind makes of the child, and any deed that was not prevented.
fn taken_over() -> ExitCode {
    let document = std::io::read_to_string(std::io::stdin()).expect("a document");
    match document.as_str() {
        "start a thread" => std::thread::spawn(|| ()).join().expect("a thread"),
        "ask for memory" => drop(std::hint::black_box(vec![1_u8; 64 << 20])),
        _ => DEEDS.iter().filter(|(deed, _)| *deed == document).for_each(|(_, act)| act()),
    }
    ExitCode::from(7)
}
