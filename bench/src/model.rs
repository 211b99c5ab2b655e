//! A model engine: it takes what is handed in, stores it, delivers it and writes down how that went, as fast as
//! this machine lets it, and does nothing else. There is no parsing, no right, no route, no filter, no limit, no
//! second attempt and nothing that reads the rows again after a start: it is no server to use, but the ceiling
//! above one. It runs in a process of its own, so that its processor time is counted like the server's.

mod deliver;
mod engine;
mod intake;
mod store;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::exit;
use std::sync::Arc;

use anyhow::Result;
use clap::Args;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use deliver::Delivery;
use store::{Handed, Outcomes};

pub use engine::Engine;

/// Where a model engine finds what it needs.
#[derive(Args, Clone, Debug)]
pub struct Place {
    /// The receiver of all deliveries
    receiver: SocketAddr,
    /// An empty folder for the database
    folder: PathBuf,
}

/// Runs the engine until its input ends; the first line of its output is its address.
pub fn run(place: &Place) -> Result<()> {
    // As many workers as cores.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve(place))
}

async fn serve(place: &Place) -> Result<()> {
    let outcomes = Arc::new(Outcomes::default());
    let lines = deliver::start(place.receiver, &outcomes).await?;
    let (queue, stored) = store::start(&place.folder, outcomes)?;
    tokio::spawn(hand_on(stored, lines));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("{}", listener.local_addr()?);
    std::thread::spawn(end_with_input);
    intake::accept(&listener, &queue).await
}

/// Answers what a commit stored and gives it to the connections in turn. The writer wakes this one task for
/// each commit; waking all the others from its thread would cost more.
async fn hand_on(
    mut stored: UnboundedReceiver<Vec<Handed>>,
    lines: Vec<UnboundedSender<Delivery>>,
) {
    let mut turn = lines.iter().cycle();
    while let Some(batch) = stored.recv().await {
        for handed in batch {
            let Handed { id, body, stored } = handed;
            // Who hung up wants no answer.
            let _ = stored.send(());
            if let Some(line) = turn.next() {
                let _ = line.send(Delivery { id, body });
            }
        }
    }
}

/// The load program holds the other end: it is not outlived.
fn end_with_input() {
    let _ = io::copy(&mut io::stdin(), &mut io::sink());
    exit(0);
}

/// A model with a broken part would be no ceiling.
fn end_on_error(done: Result<()>) {
    if let Err(error) = done {
        eprintln!("bench: the model engine: {error:#}");
        exit(1);
    }
}
