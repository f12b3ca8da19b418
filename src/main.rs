//! The `trailproof` command: everything it does lives in the library.

/// Policies are many small texts and lists; reading them is half allocation.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    trailproof::cli::main()
}
