//! Schedules a customer's next scan: the next night, or sooner where a part could not be read for a
//! reason that passes by itself.

use domain::{Problem, Timestamp, problem::Remedy};
use store::{Next, Turn};

use super::turns::next_night;
use crate::pace::Pace;

const MINUTE: i64 = 60_000;
/// The gaps before the retries of a scan that could not read everything. After the last retry the
/// customer waits for its night. Milliseconds.
const GAPS: [i64; 3] = [5 * MINUTE, 15 * MINUTE, 60 * MINUTE];
/// The gap before a retry while a consent may only be on its way. Milliseconds.
const SOON: i64 = 30_000;

/// The time of a customer's next scan. `tries`: how often it was retried in a row. `problems`: what
/// the last scan could not read.
pub(super) fn next<'a>(
    pace: Pace,
    now: Timestamp,
    turn: Turn,
    tries: i16,
    problems: impl IntoIterator<Item = &'a Problem>,
) -> Next {
    let mut passes = false;
    for problem in problems {
        if problem.key == SPREADING {
            return Next {
                due: now.plus_millis(pace.of(SOON)),
                tries,
            };
        }
        passes |= problem.remedy == Remedy::Wait;
    }
    let gap = usize::try_from(tries).ok().and_then(|at| GAPS.get(at));
    match gap {
        Some(gap) if passes => Next {
            due: now.plus_millis(pace.of(*gap)),
            tries: tries.saturating_add(1),
        },
        _ => next_night(now, turn).into(),
    }
}

const SPREADING: &str = "scan.consent_spreads";

/// The problem to report instead of a missing consent, where the consent was given a moment ago.
/// None: another problem, or an older consent.
pub(super) fn spreading(
    pace: Pace,
    problem: &Problem,
    consented: Option<Timestamp>,
    now: Timestamp,
) -> Option<Problem> {
    let fresh = pace.is_spreading(consented, now);
    (fresh && problem.key == Problem::CONSENT_MISSING).then(|| {
        let said = Problem::new(
            SPREADING,
            Remedy::Wait,
            "The consent has not reached all of Microsoft's servers yet.",
            "That is normal in the first minutes after it was given.",
            "Wait: Postern tries again by itself.",
        );
        match &problem.microsoft {
            Some(answer) => said.with_answer(answer.clone()),
            None => said,
        }
    })
}

#[cfg(test)]
mod tests {
    use domain::id::{CustomerId, PartnerId};
    use uuid::Uuid;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
    const TURN: Turn = Turn {
        partner: PartnerId(Uuid::nil()),
        customer: CustomerId(Uuid::nil()),
    };

    fn problem(key: &str, remedy: Remedy) -> Problem {
        Problem::new(key, remedy, "", "", "")
    }

    fn wait(tries: i16, problem: &Problem) -> (i64, i16) {
        let next = next(Pace::default(), NOW, TURN, tries, [problem]);
        ((next.due.millis() - NOW.millis()) / MINUTE, next.tries)
    }

    #[test]
    fn what_passes_is_tried_again_three_times_before_the_night() {
        let passes = problem("graph.throttled", Remedy::Wait);
        assert_eq!(wait(0, &passes), (5, 1));
        assert_eq!(wait(1, &passes), (15, 2));
        assert_eq!(wait(2, &passes), (60, 3));
        let (minutes, tries) = wait(3, &passes);
        assert!(minutes >= 12 * 60, "{minutes}");
        assert_eq!(tries, 0);
    }

    #[test]
    fn what_somebody_must_mend_waits_for_the_night() {
        for remedy in [Remedy::Act, Remedy::Consent, Remedy::Never] {
            let (minutes, tries) = wait(0, &problem("graph.forbidden", remedy));
            assert!(minutes >= 12 * 60, "{minutes}");
            assert_eq!(tries, 0);
        }
    }

    #[test]
    fn a_consent_spreads_for_ten_minutes() {
        let missing = problem(Problem::CONSENT_MISSING, Remedy::Consent);
        let at = |minutes: i64| Some(NOW.plus_millis(-minutes * MINUTE));
        let usual = Pace::default();
        let said = spreading(usual, &missing, at(9), NOW).expect("it may still spread");
        assert_eq!(said.remedy, Remedy::Wait);
        let next = next(Pace::default(), NOW, TURN, 2, [&said]);
        assert_eq!(next.due, NOW.plus_millis(SOON));
        assert_eq!(next.tries, 2, "the others are not used up");
        assert_eq!(spreading(usual, &missing, at(10), NOW), None);
        assert_eq!(spreading(usual, &missing, None, NOW), None);
        // The pace of the setups is that of the readings.
        assert_eq!(spreading(Pace::new(600.0), &missing, at(1), NOW), None);
        let dead = problem("entra.token_dead", Remedy::Consent);
        assert_eq!(spreading(usual, &dead, at(1), NOW), None);
    }
}
