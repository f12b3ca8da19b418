//! A moto server with the estate in it, one for all tests.

use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use super::estate;
use crate::support::root;

/// The server; `None` where it can not be had, which is said, or fails where tools are required.
pub(super) fn url() -> Option<&'static str> {
    static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
    match SERVER.get_or_init(Server::start) {
        Ok(server) => Some(&server.url),
        Err(why) => {
            assert_ne!(std::env::var("TRAILPROOF_REQUIRE_TOOLS").as_deref(), Ok("1"), "moto can not be started: {why}");
            println!(
                "not run: moto can not be started: {why} (it takes Python 3 with venv, or TRAILPROOF_MOTO_PYTHON)"
            );
            None
        }
    }
}

struct Server {
    url: String,
    /// Ends with the standard input that it is given, and so with this process.
    _process: Mutex<Child>,
}

impl Server {
    fn start() -> Result<Self, String> {
        let python = python()?;
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).map_err(words)?.port();
        let folder = tempfile::tempdir().map_err(words)?;
        estate::write(folder.path());
        let script = root().join("tests/live/server.py");
        let process = Command::new(&python)
            .arg(script)
            .arg(port.to_string())
            .arg(folder.path())
            .arg("--until-input-ends")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(words)?;
        let url = format!("http://127.0.0.1:{port}");
        let process = wait(process, port)?;
        let load = Command::new(&python).arg(root().join("tests/live/load.py")).arg(&url).arg(folder.path()).output();
        done(load.map_err(words)?)?;
        Ok(Server { url, _process: Mutex::new(process) })
    }
}

/// Waits until the server answers; its errors are read on, so that it never waits for somebody to do so.
fn wait(mut process: Child, port: u16) -> Result<Child, String> {
    let said = std::sync::Arc::new(Mutex::new(String::new()));
    if let Some(mut errors) = process.stderr.take() {
        let said = std::sync::Arc::clone(&said);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = errors.read(&mut buffer) {
                let mut said = said.lock().unwrap();
                if said.len() < 1 << 16 {
                    said.push_str(&String::from_utf8_lossy(&buffer[..count]));
                }
            }
        });
    }
    let until = Instant::now() + Duration::from_secs(120);
    loop {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(process);
        }
        if let Ok(Some(status)) = process.try_wait() {
            return Err(format!("it ended with {status}: {}", said.lock().unwrap()));
        }
        if Instant::now() > until {
            let _ = process.kill();
            return Err("it did not answer in 120 s".to_owned());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A Python that has moto: the one named, else one in a virtual environment that is made once for each list of packages.
fn python() -> Result<PathBuf, String> {
    if let Some(named) = std::env::var_os("TRAILPROOF_MOTO_PYTHON") {
        return Ok(named.into());
    }
    let wanted = root().join("tests/live/requirements.txt");
    let packages = std::fs::read_to_string(&wanted).map_err(words)?;
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let environment = target.join("moto");
    let python = environment.join("bin/python");
    let stamp = environment.join("installed.txt");
    // Two runs of the tests may want it at once.
    let lock = std::fs::File::create(target.join("moto.lock")).map_err(words)?;
    lock.lock().map_err(words)?;
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == packages) {
        return Ok(python);
    }
    let made = Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment).output().map_err(words)?;
    done(made)?;
    let quiet = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
    done(Command::new(&python).args(quiet).arg(&wanted).output().map_err(words)?)?;
    std::fs::write(&stamp, packages).map_err(words)?;
    Ok(python)
}

fn done(output: Output) -> Result<(), String> {
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

fn words(error: std::io::Error) -> String {
    error.to_string()
}
