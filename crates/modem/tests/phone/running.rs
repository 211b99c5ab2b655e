//! A phone that runs beside the test, with an ear on what happens on it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use modem::simulate::{Happening, Options, Phone, Stats, Summary};
use modem::{Error, Transport};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::A;
use crate::server::{KEY, Server, soon};

pub struct Running {
    stop: CancellationToken,
    task: JoinHandle<Result<Summary, Error>>,
    stats: Arc<Stats>,
    happenings: watch::Receiver<Vec<Happening>>,
}

impl Running {
    pub fn start(server: &Server, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::new(server.url(), KEY, [A]);
        change(&mut options);
        let (ear, happenings) = watch::channel(Vec::new());
        let phone = Phone::new(transport(), options)
            .expect("good options")
            .on_happening(move |it| ear.send_modify(|heard| heard.push(it.clone())));
        let stats = phone.stats();
        let stop = CancellationToken::new();
        let task = tokio::spawn(phone.run(stop.clone()));
        Self {
            stop,
            task,
            stats,
            happenings,
        }
    }

    /// Stops the phone and waits for what it still has to do.
    pub async fn stop(self) -> (Summary, Vec<Happening>) {
        self.stop.cancel();
        let ended = soon("the phone stops", self.task).await;
        let summary = ended.expect("no panic").expect("no error");
        let happenings = self.happenings.borrow().clone();
        (summary, happenings)
    }

    /// Waits until the phone has counted so far.
    pub async fn count(&self, is: fn(&Summary) -> bool) {
        let counted = async {
            while !is(&self.stats.summary()) {
                sleep(Duration::from_millis(2)).await;
            }
        };
        soon("it is counted", counted).await;
    }

    /// Waits until something happens, if it has not happened yet.
    pub async fn hear(&self, is: fn(&Happening) -> bool) {
        let mut happenings = self.happenings.clone();
        let heard = happenings.wait_for(|heard| heard.iter().any(is));
        soon("it happens", heard).await.expect("the phone runs");
    }

    /// Waits for the phone to end by itself.
    pub async fn end(self) -> Error {
        let ended = soon("the phone gives up", self.task).await;
        ended.expect("no panic").expect_err("an error")
    }
}

/// One for the whole process, as it is meant to be.
pub fn transport() -> &'static Transport {
    static TRANSPORT: OnceLock<Transport> = OnceLock::new();
    TRANSPORT.get_or_init(|| Transport::new().expect("a transport"))
}

pub fn count(happenings: &[Happening], is: fn(&Happening) -> bool) -> usize {
    happenings.iter().filter(|happening| is(happening)).count()
}
