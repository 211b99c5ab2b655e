//! Scenes that mostly wait, played at the same time within one test.

use std::pin::Pin;
use std::time::Instant;

use tokio::task::{LocalSet, spawn_local};

use crate::stage::Engine;

type Scene = Pin<Box<dyn Future<Output = ()>>>;

#[derive(Default)]
pub struct Scenes(Vec<(&'static str, Scene)>);

impl Scenes {
    /// One more scene.
    #[must_use]
    pub fn and(mut self, name: &'static str, scene: impl Future<Output = ()> + 'static) -> Self {
        let timed = async move {
            let begun = Instant::now();
            scene.await;
            eprintln!("{name}: {:.1?}", begun.elapsed());
        };
        self.0.push((name, Box::pin(timed)));
        self
    }

    /// Plays them all to their ends; names those that failed.
    pub async fn play(self) {
        let all = async {
            let begin = |(name, scene)| (name, spawn_local(scene));
            let scenes: Vec<_> = self.0.into_iter().map(begin).collect();
            let mut failed = Vec::new();
            for (name, scene) in scenes {
                if scene.await.is_err() {
                    failed.push(name);
                }
            }
            failed
        };
        let failed = LocalSet::new().run_until(all).await;
        assert!(failed.is_empty(), "failed: {failed:?}");
    }
}

/// Plays the same on SQLite and on PostgreSQL.
pub async fn on_each_engine<F: Future<Output = ()> + 'static>(play: impl Fn(Engine) -> F) {
    Scenes::default()
        .and("on SQLite", play(Engine::Sqlite))
        .and("on PostgreSQL", play(Engine::Postgres))
        .play()
        .await;
}
