//! A mail server in this process. mailin leads the talk; lines, encryption and what is taken are here.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mailin::{Action, AuthMechanism, Session, SessionBuilder};
use testkit::until;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::AbortOnDropHandle;

use crate::talk::Talk;

pub const USER: &str = "gateway@example.org";
pub const PASSWORD: &str = "open sesame/+%";

/// Long enough for whatever shall happen.
pub const SOON: Duration = Duration::from_secs(20);

/// A mail server that runs until it is dropped.
pub struct MailServer {
    pub address: SocketAddr,
    desk: Arc<Desk>,
    _running: AbortOnDropHandle<()>,
}

/// What a server offers.
#[derive(Clone, Default)]
pub struct Offer {
    pub tls: Option<TlsAcceptor>,
    /// From the first byte, not after STARTTLS.
    pub wrapped: bool,
    pub login: bool,
}

/// A mail that was taken.
#[derive(Debug, Clone, Default)]
pub struct Taken {
    pub hello: String,
    pub from: String,
    pub to: String,
    pub text: String,
    pub encrypted: bool,
}

/// Where a talk can be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Sender,
    Recipient,
    Text,
}

/// What all talks share.
#[derive(Default)]
pub struct Desk {
    taken: Mutex<Vec<Taken>>,
    refusals: Mutex<VecDeque<(Step, u16, String)>>,
    lines: AtomicUsize,
    /// Counts how often all lines were cut.
    cut: watch::Sender<u32>,
}

impl Desk {
    pub fn take(&self, mail: Taken) {
        self.taken.lock().unwrap().push(mail);
    }

    /// The next refusal, if it is for this step.
    pub fn refusal(&self, step: Step) -> Option<(u16, String)> {
        let next = self
            .refusals
            .lock()
            .unwrap()
            .pop_front_if(|(at, ..)| *at == step);
        next.map(|(_, code, words)| (code, words))
    }
}

/// A port that is ours though nobody listens there yet.
pub struct Reserved(TcpSocket);

impl Reserved {
    pub fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        Self(socket)
    }

    pub fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    pub fn open(self, offer: Offer) -> MailServer {
        MailServer::at(self.0.listen(16).unwrap(), offer)
    }
}

impl MailServer {
    /// One that offers nothing beside taking mails.
    pub fn start() -> Self {
        Self::offering(Offer::default())
    }

    pub fn offering(offer: Offer) -> Self {
        Reserved::new().open(offer)
    }

    fn at(listener: TcpListener, offer: Offer) -> Self {
        let desk = Arc::new(Desk::default());
        Self {
            address: listener.local_addr().unwrap(),
            _running: AbortOnDropHandle::new(tokio::spawn(serve(
                listener,
                offer,
                Arc::clone(&desk),
            ))),
            desk,
        }
    }

    /// Where it is, without encryption or login.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// Refuses at this step, once; several in the order in which they are told.
    pub fn refuse(&self, step: Step, code: u16, words: &str) {
        let refusal = (step, code, words.to_owned());
        self.desk.refusals.lock().unwrap().push_back(refusal);
    }

    pub fn taken(&self) -> Vec<Taken> {
        self.desk.taken.lock().unwrap().clone()
    }

    /// How many lines were opened so far.
    pub fn lines(&self) -> usize {
        self.desk.lines.load(Ordering::SeqCst)
    }

    /// Breaks off every talk.
    pub fn cut_lines(&self) {
        self.desk.cut.send_modify(|cut| *cut += 1);
    }

    pub async fn wait_for(&self, mails: usize) -> Vec<Taken> {
        until("the mails are taken", SOON, async || {
            let taken = self.taken();
            (taken.len() >= mails).then_some(taken)
        })
        .await
    }
}

async fn serve(listener: TcpListener, offer: Offer, desk: Arc<Desk>) {
    let mut talks = JoinSet::new();
    while let Ok((line, _)) = listener.accept().await {
        desk.lines.fetch_add(1, Ordering::SeqCst);
        let (offer, desk) = (offer.clone(), Arc::clone(&desk));
        talks.spawn(async move {
            let mut cut = desk.cut.subscribe();
            tokio::select! {
                biased;
                _ = cut.changed() => {}
                // A caller may go when it likes.
                _ = talk(line, offer, Arc::clone(&desk)) => {}
            }
        });
    }
}

async fn talk(line: TcpStream, offer: Offer, desk: Arc<Desk>) -> std::io::Result<()> {
    let mut builder = SessionBuilder::new("mail.example");
    if offer.tls.is_some() && !offer.wrapped {
        builder.enable_start_tls();
    }
    if offer.login {
        builder.enable_auth(AuthMechanism::Plain);
    }
    let encrypted = Arc::new(AtomicBool::new(false));
    let talk = Talk {
        desk,
        mail: Taken::default(),
        encrypted: Arc::clone(&encrypted),
    };
    let mut session = builder.build([127, 0, 0, 1].into(), talk);
    let mut line = BufReader::new(line);
    if let (Some(tls), true) = (&offer.tls, offer.wrapped) {
        session.tls_active();
        encrypted.store(true, Ordering::SeqCst);
        let mut line = BufReader::new(tls.accept(line.into_inner()).await?);
        line.write_all(&session.greeting().buffer()?).await?;
        return exchange(&mut line, &mut session).await.map(drop);
    }
    line.write_all(&session.greeting().buffer()?).await?;
    let upgrade = exchange(&mut line, &mut session).await?;
    if let (true, Some(tls)) = (upgrade, offer.tls) {
        session.tls_active();
        encrypted.store(true, Ordering::SeqCst);
        let mut line = BufReader::new(tls.accept(line.into_inner()).await?);
        exchange(&mut line, &mut session).await?;
    }
    Ok(())
}

/// Answers until the line is to be closed, or (true) encrypted.
async fn exchange(
    line: &mut BufReader<impl AsyncRead + AsyncWrite + Unpin>,
    session: &mut Session<Talk>,
) -> std::io::Result<bool> {
    let mut said = Vec::new();
    while line.read_until(b'\n', &mut said).await? > 0 {
        let answer = session.process(&said);
        line.write_all(&answer.buffer()?).await?;
        line.flush().await?;
        match answer.action {
            Action::Close => return Ok(false),
            Action::UpgradeTls => return Ok(true),
            Action::Reply | Action::NoReply => said.clear(),
        }
    }
    Ok(false)
}
