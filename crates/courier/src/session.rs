//! The courier's work for as long as it holds the lease: takes the news, asks the scheduler, starts
//! attempts, writes down their ends. When it ends, what is in flight lands first.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use gateway::delivery::{Delivery, Kind, News, Outcome};
use gateway::{Gateway, Time};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::time::{Instant, Sleep, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::carry::{Carrier, Ended, Ending, Flight};
use crate::hooks::Hooks;
use crate::lease::{Lease, Standing};
use crate::load::{Loaded, Loader};
use crate::scheduler::{Action, HELD_AHEAD, Limits, Moment, Next, Rest, Scheduler};
use crate::settle::Settler;
use crate::stats::Stats;
use crate::walk::{Walk, is_last};

/// Taken from a channel at a time.
const HANDFUL: usize = 512;

/// With so many ends that are not on disk, nothing new is started.
const BACKLOG: usize = 20_000;

/// At a shutdown, what is in flight may land for so long, and then be written down for so long.
const LANDING: Duration = Duration::from_secs(6);
const WRITING: Duration = Duration::from_secs(2);

/// After an outage of the database, the lease is taken anew at most so often.
const ANEW: Duration = Duration::from_mins(1);

/// What outlives a session.
pub(crate) struct Office {
    pub gateway: Gateway,
    pub carrier: Arc<Carrier>,
    pub limits: Limits,
    pub stats: Arc<Stats>,
}

/// One term of carrying.
pub(crate) struct Session<'o> {
    office: &'o Office,
    news: &'o mut UnboundedReceiver<News>,
    lease: Lease,
    began: Instant,
    scheduler: Scheduler,
    hooks: Hooks,
    back: UnboundedSender<Ended>,
    landed: UnboundedReceiver<Ended>,
    in_flight: usize,
    settler: Settler,
    loader: Loader,
    walk: Walk,
    /// A load failed in a way that may have marked rows without bringing them.
    doubtful: bool,
    ending: bool,
}

impl<'o> Session<'o> {
    pub fn new(office: &'o Office, news: &'o mut UnboundedReceiver<News>, lease: Lease) -> Self {
        let (back, landed) = mpsc::unbounded_channel();
        Self {
            news,
            began: Instant::now(),
            scheduler: Scheduler::new(office.limits.clone()),
            hooks: Hooks::default(),
            back,
            landed,
            in_flight: 0,
            settler: Settler::new(office.gateway.clone()),
            loader: Loader::new(office.gateway.clone(), lease.epoch),
            walk: Walk::start(office.gateway.clone(), lease.epoch),
            doubtful: false,
            ending: false,
            office,
            lease,
        }
    }

    /// Carries until it is stopped, or the lease is lost or should be taken anew; then lands and gives
    /// the lease up.
    pub async fn run(mut self, stop: &CancellationToken) {
        self.carry(stop).await;
        self.ending = true;
        self.land(stop).await;
        self.office.stats.now(0, 0, 0);
        let epoch = self.lease.epoch;
        if self.lease.standing() != Standing::Lost
            && let Err(error) = self.office.gateway.release_lease(epoch).await
        {
            warn!(epoch, %error, "the lease for deliveries runs out by itself");
        }
    }

    async fn carry(&mut self, stop: &CancellationToken) {
        let (mut news, mut landed) = (Vec::new(), Vec::new());
        let mut wake = pin!(sleep(Duration::ZERO));
        loop {
            self.act();
            self.set(wake.as_mut());
            tokio::select! {
                () = stop.cancelled() => return,
                standing = self.lease.changed() => if self.is_over(standing) { return },
                _ = self.landed.recv_many(&mut landed, HANDFUL) => self.take_back(&mut landed),
                written = self.settler.written() => self.settled(written),
                _ = self.news.recv_many(&mut news, HANDFUL) => self.hear(&mut news),
                loaded = self.loader.loaded() => self.take_loaded(loaded),
                Some(page) = self.walk.next() => self.expect(page),
                () = wake.as_mut() => {}
            }
        }
    }

    /// Does what the scheduler wants.
    fn act(&mut self) {
        let now = self.now();
        let may_start = self.settler.backlog() < BACKLOG && self.lease.is_held();
        while let Some(action) = self.scheduler.next(now, may_start) {
            match action {
                Action::Start(delivery) => self.start(delivery, now),
                Action::Load {
                    target,
                    limit,
                    which,
                } => self.loader.want(target, limit, which),
                Action::PutBack(delivery) => {
                    self.settler
                        .push(delivery, Outcome::Parked, Next::PutBack, None);
                }
                Action::Full(target, full) => self.office.gateway.set_full(target, full),
            }
        }
        self.loader.kick();
        self.settler.kick();
        let (held, resting) = (self.scheduler.held(), self.scheduler.resting());
        self.office.stats.now(self.in_flight, held, resting);
    }

    fn start(&mut self, delivery: Delivery, now: Moment) {
        let hook = match delivery.kind {
            Kind::Webhook => self.hooks.get(delivery.target, delivery.version, now),
            Kind::Push | Kind::Mail | Kind::Discord => None,
        };
        if let Some(hook) = &hook {
            self.scheduler.know(delivery.target, hook.rules, now);
        }
        self.in_flight += 1;
        self.office.stats.started();
        Flight::new(delivery, self.hooks.changes, self.back.clone())
            .start(Arc::clone(&self.office.carrier), hook);
    }

    /// Takes deliveries back from their attempts.
    fn take_back(&mut self, landed: &mut Vec<Ended>) {
        let (now, wall) = (self.now(), self.office.gateway.now());
        for ended in landed.drain(..) {
            self.in_flight = self.in_flight.saturating_sub(1);
            let delivery = ended.delivery;
            self.office
                .stats
                .ended(delivery.kind, &ended.ending, ended.seen.as_deref());
            if let Some(hook) = ended.found {
                self.scheduler.know(delivery.target, hook.rules, now);
                self.hooks.keep(delivery.target, hook, ended.changes, now);
            }
            let (outcome, next) = match ended.ending {
                Ending::Settled(Outcome::Parked) => (Outcome::Parked, Next::Parked),
                Ending::Settled(outcome) => (outcome, Next::Gone),
                Ending::Again(wait) => {
                    let ordered = delivery.order_key.is_some();
                    self.again(wait, ordered, now, wall)
                }
                Ending::NotNow { wait, whole } => {
                    self.scheduler.postponed(delivery, now + wait, whole, now);
                    continue;
                }
            };
            self.scheduler.ended(&delivery, ended.sign, now);
            self.settler.push(delivery, outcome, next, ended.seen);
        }
    }

    /// A retry stays in memory if it is soon, or holds up others, and the session goes on.
    fn again(&self, wait: Duration, ordered: bool, now: Moment, wall: Time) -> (Outcome, Next) {
        let held = (ordered || wait <= HELD_AHEAD) && !self.ending;
        let due_at = wall + wait;
        let next = if held {
            Next::Again(now + wait)
        } else {
            Next::OnDisk(now + wait)
        };
        (Outcome::Retry { due_at, held }, next)
    }

    fn settled(&mut self, written: Vec<(Delivery, Next)>) {
        let now = self.now();
        for (delivery, next) in written {
            let target = delivery.target;
            self.scheduler.settled(delivery, next, now);
            if next == Next::Parked && !self.hooks.is_paused(target) {
                // It was resumed meanwhile, and what was told of that is over.
                self.scheduler.waiting(target, now, now);
            }
        }
    }

    fn hear(&mut self, news: &mut Vec<News>) {
        let (now, wall) = (self.now(), self.office.gateway.now());
        for news in news.drain(..) {
            match news {
                News::Due(deliveries) => {
                    for delivery in deliveries {
                        let due = now + delivery.due_at.since(wall);
                        self.scheduler.due(delivery, due, now);
                    }
                }
                News::Waiting(target, due_at) => {
                    self.scheduler
                        .waiting(target, now + due_at.since(wall), now);
                }
                News::Changed(webhook) => self.hooks.forget(webhook),
            }
        }
    }

    fn take_loaded(&mut self, Loaded { target, rows }: Loaded) {
        let (now, wall) = (self.now(), self.office.gateway.now());
        let moment = |due_at: Time| now + due_at.since(wall);
        match rows {
            Ok((rows, rest)) => {
                let rows = rows.into_iter().map(|row| {
                    let due = moment(row.due_at);
                    (row, due)
                });
                let rest = Rest {
                    next: rest.next.map(moment),
                    next_retry: rest.next_retry.map(moment),
                };
                self.scheduler.loaded(target, rows, rest, now);
            }
            Err(error) => {
                warn!(%target, %error, "waiting deliveries cannot be loaded");
                self.doubtful |= error.is_unavailable();
                let again = now + Duration::from_secs(if error.is_unavailable() { 1 } else { 30 });
                self.scheduler.not_loaded(target, again, now);
            }
        }
    }

    fn expect(&mut self, page: Vec<(gateway::Uuid, Time)>) {
        let (now, wall) = (self.now(), self.office.gateway.now());
        if is_last(&page) {
            self.scheduler.surveyed();
        }
        for (target, due_at) in page {
            self.scheduler
                .waiting(target, now + due_at.since(wall), now);
        }
    }

    /// Whether this term is over. After an outage it is: a commit whose answer was lost may have left
    /// rows to us that we do not know, and the next term finds them on disk.
    fn is_over(&mut self, standing: Standing) -> bool {
        match standing {
            Standing::Lost => true,
            Standing::Held(_) if !self.doubtful => false,
            Standing::Held(_) | Standing::Back(_) => {
                self.doubtful = true;
                let over = self.began.elapsed() >= ANEW;
                if over {
                    info!("the database is back: waiting deliveries are looked for anew");
                }
                over
            }
        }
    }

    /// Lets what is in flight land and be written down. At a shutdown, not for ever.
    async fn land(&mut self, stop: &CancellationToken) {
        let (mut news, mut landed) = (Vec::new(), Vec::new());
        let mut stopped = None;
        loop {
            self.settler.kick();
            if self.in_flight == 0 && self.settler.backlog() == 0 {
                return;
            }
            let patience = if self.in_flight > 0 {
                LANDING
            } else {
                LANDING + WRITING
            };
            let end = stopped.map(|stopped: Instant| stopped + patience);
            tokio::select! {
                () = stop.cancelled(), if stopped.is_none() => stopped = Some(Instant::now()),
                _ = self.landed.recv_many(&mut landed, HANDFUL) => self.take_back(&mut landed),
                written = self.settler.written() => self.settled(written),
                _ = self.news.recv_many(&mut news, HANDFUL) => news.clear(),
                () = until(end) => {
                    if self.in_flight == 0 {
                        warn!(ends = self.settler.backlog(), "ends of attempts could not be recorded");
                        return;
                    }
                    info!(attempts = self.in_flight, "not waited for: they will be made again");
                    self.in_flight = 0;
                }
            }
        }
    }

    fn now(&self) -> Moment {
        self.began.elapsed()
    }

    /// Sets the alarm for the scheduler's next moment.
    fn set(&self, wake: Pin<&mut Sleep>) {
        let far = self.began + Duration::from_secs(u64::from(u32::MAX));
        let next = self.scheduler.next_wake();
        let next = next
            .and_then(|next| self.began.checked_add(next))
            .unwrap_or(far);
        if wake.deadline() != next {
            wake.reset(next.min(far));
        }
    }
}

async fn until(end: Option<Instant>) {
    match end {
        Some(end) => sleep_until(end).await,
        None => std::future::pending().await,
    }
}
