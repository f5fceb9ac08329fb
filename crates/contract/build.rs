//! Compiles `proto/` with protox, a compiler written in Rust: no `protoc` has to be installed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let protos = ["../../proto/events.proto", "../../proto/artifacts.proto"];
    for proto in protos {
        println!("cargo:rerun-if-changed={proto}");
    }
    // Ordered maps: the same event always has the same bytes, which fingerprints and the status fold rely on.
    prost_build::Config::new().btree_map(["."]).compile_fds(protox::compile(protos, ["../../proto"])?)?;
    Ok(())
}
