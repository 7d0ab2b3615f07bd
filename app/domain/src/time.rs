//! Moments in time, as whole milliseconds since 1970 in UTC.
//!
//! This is a type of our own instead of a date library, because it travels to the browser in every
//! row and is only shown there. Pages show UTC from the server, and switch to the reader's own time
//! zone after hydration.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// A moment as UTC date and time, for display.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    pub year: i64,
    /// 1 to 12
    pub month: u8,
    /// 1 to 31
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    pub millisecond: u16,
}

impl Timestamp {
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    pub const fn millis(self) -> i64 {
        self.0
    }

    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        self.plus_millis(seconds.saturating_mul(1000))
    }

    /// Milliseconds from `earlier` to `self`. Negative if `earlier` is later.
    pub const fn millis_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Year, month, day and time of day in UTC.
    pub fn civil(self) -> Civil {
        let days = self.0.div_euclid(86_400_000);
        let rest = self.0.rem_euclid(86_400_000);
        // Converts days to a civil date in the proleptic Gregorian calendar. It counts in eras of
        // 400 years that begin on 1 March.
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let small = |value: i64| u8::try_from(value).unwrap_or(u8::MAX);
        Civil {
            year,
            month: small(month),
            day: small(day),
            hour: small(rest / 3_600_000),
            minute: small(rest / 60_000 % 60),
            second: small(rest / 1000 % 60),
            millisecond: u16::try_from(rest % 1000).unwrap_or(u16::MAX),
        }
    }

    /// The moment for machines: `2026-11-23T20:04:05.123Z`.
    pub fn rfc3339(self) -> String {
        let c = self.civil();
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            c.year, c.month, c.day, c.hour, c.minute, c.second, c.millisecond
        )
    }

    /// The moment for people, in UTC: `23 Nov 2026, 20:04:05 UTC`. A page shows it until the
    /// browser replaces it.
    pub fn long(self) -> String {
        let c = self.civil();
        format!(
            "{} {} {}, {:02}:{:02}:{:02} UTC",
            c.day,
            month_name(c.month),
            c.year,
            c.hour,
            c.minute,
            c.second
        )
    }

    /// The time of day in UTC: `20:04:05`.
    pub fn clock(self) -> String {
        let c = self.civil();
        format!("{:02}:{:02}:{:02}", c.hour, c.minute, c.second)
    }
}

/// The first three letters of a month's name. `month`: 1 to 12.
fn month_name(month: u8) -> &'static str {
    match month {
        1 => "Jan",
        2 => "Feb",
        3 => "Mar",
        4 => "Apr",
        5 => "May",
        6 => "Jun",
        7 => "Jul",
        8 => "Aug",
        9 => "Sep",
        10 => "Oct",
        11 => "Nov",
        _ => "Dec",
    }
}

/// A duration in words: `4 s`, `2 min 4 s`, `3 h 12 min`, `5 days`. A negative duration counts as
/// zero.
pub fn span(millis: i64) -> String {
    let seconds = millis.max(0) / 1000;
    if millis > 0 && seconds == 0 {
        return format!("{millis} ms");
    }
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 if seconds % 60 == 0 || seconds >= 600 => format!("{} min", seconds / 60),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..172_800 if seconds / 60 % 60 == 0 => format!("{} h", seconds / 3_600),
        3_600..172_800 => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{} days", seconds / 86_400),
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.long())
    }
}

#[cfg(feature = "ssr")]
impl From<chrono::DateTime<chrono::Utc>> for Timestamp {
    fn from(moment: chrono::DateTime<chrono::Utc>) -> Self {
        Self(moment.timestamp_millis())
    }
}

#[cfg(feature = "ssr")]
impl From<Timestamp> for chrono::DateTime<chrono::Utc> {
    /// A moment outside of chrono's range becomes the nearest one inside.
    fn from(moment: Timestamp) -> Self {
        chrono::DateTime::from_timestamp_millis(moment.0).unwrap_or(if moment.0 < 0 {
            chrono::DateTime::<chrono::Utc>::MIN_UTC
        } else {
            chrono::DateTime::<chrono::Utc>::MAX_UTC
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_known_moments() {
        assert_eq!(Timestamp(0).rfc3339(), "1970-01-01T00:00:00.000Z");
        assert_eq!(
            Timestamp(951_782_400_000).rfc3339(),
            "2000-02-29T00:00:00.000Z"
        );
        assert_eq!(
            Timestamp(1_795_464_245_123).long(),
            "23 Nov 2026, 20:04:05 UTC"
        );
        assert_eq!(Timestamp(-1).rfc3339(), "1969-12-31T23:59:59.999Z");
        assert_eq!(
            Timestamp(4_107_542_399_000).rfc3339(),
            "2100-02-28T23:59:59.000Z"
        );
        assert_eq!(
            Timestamp(4_107_542_400_000).rfc3339(),
            "2100-03-01T00:00:00.000Z"
        );
    }

    #[test]
    fn says_spans_in_words() {
        assert_eq!(span(-5), "0 s");
        assert_eq!(span(340), "340 ms");
        assert_eq!(span(4_000), "4 s");
        assert_eq!(span(124_000), "2 min 4 s");
        assert_eq!(span(120_000), "2 min");
        assert_eq!(span(24 * 60_000 + 3_000), "24 min");
        assert_eq!(span(2 * 3_600_000), "2 h");
        assert_eq!(span(3 * 3_600_000 + 12 * 60_000), "3 h 12 min");
        assert_eq!(span(5 * 86_400_000), "5 days");
    }
}
