//! Points in time and durations.
//!
//! The server writes UTC. The browser changes that to the reader's time zone, but only after
//! hydration: until then both sides must render the same.

use domain::{
    Timestamp,
    time::{Civil, span},
};
use leptos::prelude::*;

use super::{Erase as _, dynamic, on_change};

use crate::browser;

/// Turns true once the page has been hydrated.
#[derive(Clone, Copy)]
pub struct Hydrated(pub RwSignal<bool>);

/// Whether the page is hydrated. Always false on the server.
pub fn use_hydrated() -> Signal<bool> {
    use_context::<Hydrated>().map_or_else(|| Signal::stored(false), |hydrated| hydrated.0.into())
}

/// A moment, with date and time of day.
#[component]
pub fn Moment(at: Timestamp) -> impl IntoView {
    let hydrated = use_hydrated();
    view! {
        <time datetime=at.rfc3339() title=at.long()>
            {dynamic(move || if hydrated.get() { local(at, browser::now()) } else { at.long() })}
        </time>
    }
    .any()
}

/// The time of day only, where the date is clear from the context.
#[component]
pub fn TimeOfDay(at: Timestamp) -> impl IntoView {
    let hydrated = use_hydrated();
    view! {
        <time datetime=at.rfc3339() title=at.long()>
            {dynamic(move || if hydrated.get() { browser::to_local(at).clock() } else { at.clock() })}
        </time>
    }.any()
}

/// The text that [`Moment`] shows once the page is hydrated.
pub fn local_words(at: Timestamp) -> String {
    local(at, browser::now())
}

/// `today 20:04`, `yesterday 20:04`, or `21 Nov 2026, 20:04`, in the browser's zone.
fn local(at: Timestamp, now: Timestamp) -> String {
    words(browser::to_local(at), browser::to_local(now))
}

fn words(at: Timestamp, now: Timestamp) -> String {
    const DAY: i64 = 86_400_000;
    let day = |moment: Timestamp| moment.millis().div_euclid(DAY);
    let Civil { hour, minute, .. } = at.civil();
    match day(now) - day(at) {
        0 => format!("today {hour:02}:{minute:02}"),
        1 => format!("yesterday {hour:02}:{minute:02}"),
        -1 => format!("tomorrow {hour:02}:{minute:02}"),
        _ => {
            let long = at.long();
            let date = long.split(',').next().unwrap_or_default();
            format!("{date}, {hour:02}:{minute:02}")
        }
    }
}

/// The server's clock as this page knows it. In the browser it ticks by itself.
#[derive(Clone, Copy)]
pub struct Clock {
    now: RwSignal<Timestamp>,
    /// Milliseconds by which the server's clock is ahead of the browser's.
    ahead: StoredValue<Option<i64>>,
}

impl Clock {
    /// Starts the clock. `now` is the server's time when it answered.
    pub fn start(now: Timestamp) -> Self {
        let clock = Self {
            now: RwSignal::new(now),
            ahead: StoredValue::new(None),
        };
        on_change(move || {
            if clock.ahead.get_value().is_none() {
                clock
                    .ahead
                    .set_value(Some(now.millis_since(browser::now())));
            }
            let tick = move || {
                if let Some(Some(ahead)) = clock.ahead.try_get_value() {
                    clock.now.try_set(browser::now().plus_millis(ahead));
                }
            };
            let second = std::time::Duration::from_secs(1);
            if let Ok(handle) = set_interval_with_handle(tick, second) {
                on_cleanup(move || handle.clear());
            }
        });
        clock
    }

    /// Adjusts the clock to the server's newest time.
    pub fn correct(self, now: Timestamp) {
        self.ahead.set_value(Some(now.millis_since(browser::now())));
        self.now.set(now);
    }

    pub fn get(self) -> Timestamp {
        self.now.get()
    }
}

/// The time since `from`, as in `24 min`.
pub fn since(clock: Clock, from: Timestamp) -> String {
    span(clock.get().millis_since(from))
}

/// The time until `to`, as in `in 5 min 40 s`, or `now`.
pub fn until(clock: Clock, to: Timestamp) -> String {
    let left = to.millis_since(clock.get());
    if left < 1000 {
        "now".to_owned()
    } else {
        format!("in {}", span(left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_days_as_people_do() {
        let now = Timestamp(1_795_464_245_123);
        assert_eq!(words(now, now), "today 20:04");
        assert_eq!(words(now.plus_seconds(-86_400), now), "yesterday 20:04");
        assert_eq!(words(now.plus_seconds(86_400), now), "tomorrow 20:04");
        assert_eq!(
            words(now.plus_seconds(-3 * 86_400), now),
            "20 Nov 2026, 20:04"
        );
    }
}
