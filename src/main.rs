//! The `trailproof` command: everything it does lives in the library.

fn main() -> std::process::ExitCode {
    trailproof::cli::main()
}
