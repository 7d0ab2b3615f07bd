//! The cloud's own clock, and the dice that its delays are thrown with.
//!
//! The clock starts at the wall clock and runs `speed` times faster, so that a demo need not wait
//! an hour for a policy. It governs propagation and the life of page links. It does not govern
//! tokens: their times are read by clients, who live on the wall clock.

use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::{Rng, RngCore, SeedableRng};
use uuid::Uuid;

use crate::decisions::Delays;

/// A point of the cloud's time.
pub type Time = DateTime<Utc>;

/// Now, on the wall clock: for what clients compare with their own clock.
#[allow(
    clippy::disallowed_methods,
    reason = "this is where time comes into the cloud"
)]
pub fn wall_now() -> Time {
    Utc::now()
}

/// How fast time passes, and what it is now.
#[derive(Debug)]
pub struct Clock {
    wall_base: Instant,
    cloud_base: Time,
    speed: f64,
}

impl Clock {
    pub fn new(speed: f64) -> Self {
        Self {
            wall_base: Instant::now(),
            cloud_base: wall_now(),
            speed: sane_speed(speed),
        }
    }

    /// Now, in the cloud.
    pub fn now(&self) -> Time {
        let passed = self.wall_base.elapsed().as_secs_f64() * self.speed;
        // The bound keeps the addition inside what chrono can hold, whatever the speed.
        let millis = (passed * 1000.0).min(1e15) as i64;
        self.cloud_base + TimeDelta::milliseconds(millis)
    }

    pub fn speed(&self) -> f64 {
        self.speed
    }

    /// From now on the clock runs that fast.
    pub fn set_speed(&mut self, speed: f64) {
        self.cloud_base = self.now();
        self.wall_base = Instant::now();
        self.speed = sane_speed(speed);
    }

    /// Jumps forward.
    pub fn advance(&mut self, seconds: u64) {
        let seconds = i64::try_from(seconds)
            .unwrap_or(i64::MAX)
            .min(100 * 365 * 86_400);
        self.cloud_base += TimeDelta::seconds(seconds);
    }

    /// Seconds of the cloud's time that are no less than as many seconds on the wall: for what must
    /// outlive the work of a client, however fast the clock runs.
    pub fn at_least_on_wall(&self, seconds: i64) -> i64 {
        (seconds as f64 * self.speed.max(1.0)) as i64
    }

    /// How long a stretch of the cloud's time takes on the wall.
    pub fn on_wall(&self, cloud_millis: u64) -> Duration {
        Duration::from_secs_f64(cloud_millis as f64 / 1000.0 / self.speed)
    }
}

/// A speed of zero would freeze every wait, and a negative one is nonsense.
fn sane_speed(speed: f64) -> f64 {
    if speed.is_finite() && speed >= 0.001 {
        speed.min(1_000_000.0)
    } else {
        1.0
    }
}

/// Clock, randomness and delay ranges, together because they are always used together.
#[derive(Debug)]
pub struct Dice {
    pub clock: Clock,
    pub delays: Delays,
    rng: StdRng,
}

impl Dice {
    pub fn new(speed: f64, delays: Delays, seed: u64) -> Self {
        Self {
            clock: Clock::new(speed),
            delays,
            rng: StdRng::seed_from_u64(seed),
        }
    }

    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// A whole number in the range, both ends included; a range the wrong way round is turned.
    pub fn draw(&mut self, [low, high]: [u64; 2]) -> u64 {
        self.rng.random_range(low.min(high)..=low.max(high))
    }

    /// Now plus a delay from the range, in seconds of the cloud.
    pub fn later(&mut self, range: [u64; 2]) -> Time {
        let seconds = i64::try_from(self.draw(range)).unwrap_or(i64::MAX / 2000);
        self.now() + TimeDelta::try_seconds(seconds).unwrap_or(TimeDelta::MAX / 4)
    }

    /// True with that probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.rng.random_bool(probability.clamp(0.0, 1.0))
    }

    /// A random id: request ids, new objects.
    pub fn guid(&mut self) -> Uuid {
        let mut bytes = [0_u8; 16];
        self.rng.fill_bytes(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// An unguessable-looking word of hexadecimal digits.
    pub fn word(&mut self, length: usize) -> String {
        let mut out = String::with_capacity(length + 32);
        while out.len() < length {
            out.push_str(&self.guid().simple().to_string());
        }
        out.truncate(length);
        out
    }
}

/// `2026-11-23T10:15:00Z`, as Graph writes times.
pub fn iso(time: Time) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// `2026-11-23T10:15:00.0000000+00:00`, as Exchange writes times (MICROSOFT.md §1.3).
pub fn exchange_time(time: Time) -> String {
    time.format("%Y-%m-%dT%H:%M:%S.0000000+00:00").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_can_be_moved_and_sped_up() {
        let mut clock = Clock::new(1.0);
        let before = clock.now();
        clock.advance(3600);
        assert!(clock.now() - before >= TimeDelta::seconds(3600));
        clock.set_speed(0.0);
        assert!((clock.speed() - 1.0).abs() < f64::EPSILON);
        clock.set_speed(600.0);
        assert_eq!(clock.on_wall(60_000), Duration::from_millis(100));
    }

    #[test]
    fn dice_repeat_themselves() {
        let throw = || {
            let mut dice = Dice::new(1.0, Delays::default(), 7);
            (dice.draw([5, 1]), dice.guid(), dice.word(40))
        };
        assert_eq!(throw(), throw());
        assert_eq!(throw().2.len(), 40);
    }
}
