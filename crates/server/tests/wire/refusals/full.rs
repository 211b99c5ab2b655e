//! A disk without room: 503 and a clear word in the log, and all goes on when there is room again.
//! Once on a small file system of its own, where the test may mount one; once by a limit of file size.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use http::Method;
use testkit::{Answer, Receiver, Setup, until};

use crate::stage::{CONTACT, OWNER, SOON, Stage, USER_ID, USER_KEY, program, text};

/// A megabyte of texts fills what is left of the log and the database soon.
const TRIES: usize = 5_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_loses_nothing() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("no file system can be mounted here; see the test with a limit of file size");
        return;
    };
    let setup = Setup::new()
        .binary(program())
        .data_dir(disk.0.path().join("data"));
    let stage = Stage::around(with_account(setup).start().await, None).await;
    fills_up_and_recovers(&stage, &disk).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_of_file_size_loses_nothing() {
    if std::env::var_os("HTTPSMS_BIN").is_some() {
        eprintln!("another binary was asked for, and this test starts its own by a script");
        return;
    }
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/wire/refusals/ignoring-xfsz"
    );
    let setup = Setup::new()
        .binary(script)
        .env("UNDER_TEST", env!("CARGO_BIN_EXE_httpsms"));
    let stage = Stage::around(with_account(setup).start().await, None).await;
    let limit = FileLimit {
        pid: stage.pid(),
        largest: largest_file(stage.data_dir()),
    };
    fills_up_and_recovers(&stage, &limit).await;
}

fn with_account(setup: Setup) -> Setup {
    setup.user("ann@example.org", USER_ID, USER_KEY)
}

/// What can be full.
trait Disk {
    fn fill(&self);
    fn make_room(&self);
    /// What the log says then.
    fn said(&self) -> &'static str;
}

async fn fills_up_and_recovers(stage: &Stage, disk: &impl Disk) {
    let receiver = Receiver::start().await;
    stage
        .subscribe(&receiver, &["message.phone.received"], &[OWNER])
        .await;
    let mut acknowledged = Vec::new();
    for turn in 0..20 {
        let content = format!("before {turn}");
        let message = stage.phone.receive(CONTACT, OWNER, &content).await;
        acknowledged.push((text(&message["id"]), content));
    }
    disk.fill();
    let refused = until_refused(stage, &mut acknowledged).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert_eq!(refused.body["status"], "error");
    assert!(refused.header("retry-after").is_some());
    stage.wait_for_log(disk.said(), SOON).await;
    quiet(stage).await;
    // Nothing but writing is affected.
    for (id, content) in acknowledged.iter().rev().take(3) {
        assert_eq!(stage.user.message(id).await["content"], content.as_str());
    }
    assert_eq!(stage.anonymous().get("/health").await.status, 200);

    disk.make_room();
    let again = until("writing works again", SOON, async || {
        let answer = receive(stage, "after").await;
        (answer.status == 200).then(|| answer.into_data())
    });
    acknowledged.push((text(&again.await["id"]), "after".to_owned()));
    for (id, content) in &acknowledged {
        assert_eq!(stage.user.message(id).await["content"], content.as_str());
    }
    told(stage, &receiver, &acknowledged).await;
}

/// The log tells of it, and does not go on about it.
pub async fn quiet(stage: &Stage) {
    let before = stage.log().lines().count();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let more = stage.log().lines().count() - before;
    assert!(more < 30, "{more} lines in two seconds:\n{}", stage.log());
}

/// Writes until that is refused; remembers what was acknowledged until then.
async fn until_refused(stage: &Stage, acknowledged: &mut Vec<(String, String)>) -> Answer {
    for turn in 0..TRIES {
        let content = format!("{turn:0>1800}");
        let answer = receive(stage, &content).await;
        if answer.status != 200 {
            return answer;
        }
        acknowledged.push((text(&answer.data()["id"]), content));
    }
    panic!("nothing was refused, the log says:\n{}", stage.log());
}

async fn receive(stage: &Stage, content: &str) -> Answer {
    let sms = crate::stage::incoming(CONTACT, OWNER, content);
    let request = stage
        .phone
        .request(Method::POST, "/v1/messages/receive")
        .json(&sms);
    Answer::to(request).await.unwrap()
}

/// Every acknowledged message was told, and none that was refused.
async fn told(stage: &Stage, receiver: &Receiver, acknowledged: &[(String, String)]) {
    let ids = || {
        let told = receiver.requests().into_iter();
        let mut ids: Vec<_> = told
            .map(|one| text(&one.json()["data"]["message_id"]))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    let all = async || (ids().len() >= acknowledged.len()).then_some(());
    until("every message is told", SOON + Duration::from_secs(30), all).await;
    let mut expected: Vec<_> = acknowledged.iter().map(|(id, _)| id.clone()).collect();
    expected.sort_unstable();
    assert_eq!(ids(), expected);
    let stored = stage
        .texts("SELECT CAST(count(*) AS TEXT) FROM message")
        .await;
    assert_eq!(stored, [acknowledged.len().to_string()]);
}

/// A file system in memory, of a few megabytes.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::TempDir::with_prefix("httpsms-disk-").unwrap();
        let mounted = run(
            "mount",
            &["-t", "tmpfs", "-o", "size=16m", "tmpfs"],
            Some(folder.path()),
        );
        mounted.then_some(Self(folder))
    }

    fn ballast(&self) -> PathBuf {
        self.0.path().join("ballast")
    }
}

impl Disk for SmallDisk {
    fn fill(&self) {
        let mut ballast = std::fs::File::create(self.ballast()).unwrap();
        while ballast.write_all(&[0; 4_096]).is_ok() {}
    }

    fn make_room(&self) {
        std::fs::remove_file(self.ballast()).unwrap();
    }

    fn said(&self) -> &'static str {
        "the database has no room left"
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: what still has a file open may end afterwards.
        assert!(run("umount", &["-l"], Some(self.0.path())));
    }
}

/// A limit on how large a file of the process may get.
struct FileLimit {
    pid: u32,
    largest: u64,
}

impl FileLimit {
    fn set(&self, limit: &str) {
        let (pid, limit) = (format!("--pid={}", self.pid), format!("--fsize={limit}"));
        assert!(run("prlimit", &[&pid, &limit], None));
    }
}

impl Disk for FileLimit {
    fn fill(&self) {
        self.set(&format!("{}:unlimited", self.largest));
    }

    fn make_room(&self) {
        self.set("unlimited:unlimited");
    }

    fn said(&self) -> &'static str {
        "the database is unavailable: disk I/O error"
    }
}

fn largest_file(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).unwrap();
    let sizes = files.map(|file| file.unwrap().metadata().unwrap().len());
    sizes.max().unwrap()
}

fn run(program: &str, args: &[&str], path: Option<&Path>) -> bool {
    let output = Command::new(program).args(args).args(path).output();
    output.is_ok_and(|output| output.status.success())
}
