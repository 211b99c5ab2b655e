//! How many requests were answered, by route and kind of answer, for whoever shows figures.
//! Preflights are not counted: no route sees them.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use axum::response::Response;

/// Counters of every route. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Requests(Arc<Mutex<Vec<Arc<Counter>>>>);

/// Answers of one route, by the first digit of their status.
#[derive(Debug)]
pub(crate) struct Counter {
    method: &'static str,
    route: &'static str,
    answers: [AtomicU64; 5],
}

impl Requests {
    /// Adds all counters in the text format of Prometheus; those that never counted are left out.
    pub fn render_prometheus(&self, text: &mut String) {
        const NAME: &str = "httpsms_http_requests_total";
        let _ = writeln!(text, "# HELP {NAME} Requests by route and class of status.");
        let _ = writeln!(text, "# TYPE {NAME} counter");
        for counter in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let Counter { method, route, .. } = **counter;
            for (class, answers) in (1..).zip(&counter.answers) {
                let count = answers.load(Relaxed);
                if count > 0 {
                    let _ = writeln!(
                        text,
                        "{NAME}{{method=\"{method}\",route=\"{route}\",status=\"{class}xx\"}} {count}"
                    );
                }
            }
        }
    }

    /// A new counter.
    pub(crate) fn counter(&self, method: &'static str, route: &'static str) -> Arc<Counter> {
        let counter = Arc::new(Counter {
            method,
            route,
            answers: Default::default(),
        });
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Arc::clone(&counter));
        counter
    }
}

impl Counter {
    /// Counts an answer, and passes it on.
    pub(crate) fn count(&self, answer: Response) -> Response {
        let class = usize::from(answer.status().as_u16() / 100);
        if let Some(answers) = self.answers.get(class.wrapping_sub(1)) {
            answers.fetch_add(1, Relaxed);
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;
    use http::StatusCode;

    use super::*;

    #[test]
    fn answers_are_counted_by_route_and_class() {
        let requests = Requests::default();
        let counter = requests.counter("GET", "/v1/x/{id}");
        requests.counter("PUT", "/v1/never");
        for status in [200, 204, 404] {
            let status = StatusCode::from_u16(status).unwrap();
            counter.count(status.into_response());
        }
        let mut text = String::new();
        requests.render_prometheus(&mut text);
        let name = "httpsms_http_requests_total";
        let lines: Vec<&str> = text.lines().collect();
        let expected = [
            format!("# HELP {name} Requests by route and class of status."),
            format!("# TYPE {name} counter"),
            format!("{name}{{method=\"GET\",route=\"/v1/x/{{id}}\",status=\"2xx\"}} 2"),
            format!("{name}{{method=\"GET\",route=\"/v1/x/{{id}}\",status=\"4xx\"}} 1"),
        ];
        assert_eq!(lines, expected);
    }
}
