//! Numbers, dates, booleans, bytes and address ranges as condition operators compare them.
//!
//! Source: IAM User Guide, "IAM JSON policy elements: Condition operators".

use std::cmp::Ordering;
use std::net::IpAddr;

use base64::Engine as _;
use time::{Date, Month, Time, UtcOffset};

use super::operator::Order;

/// How two typed values compare; `None` where one of them is not of the type.
pub(super) fn number(request: &str, policy: &str, order: Order) -> Option<bool> {
    let read = |text: &str| text.trim().parse::<f64>().ok().filter(|n| n.is_finite());
    Some(ordered(read(request)?.partial_cmp(&read(policy)?)?, order))
}

pub(super) fn date(request: &str, policy: &str, order: Order) -> Option<bool> {
    Some(ordered(instant(request)?.cmp(&instant(policy)?), order))
}

pub(super) fn boolean(request: &str, policy: &str) -> Option<bool> {
    let read = |text: &str| match text {
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    };
    Some(read(request)? == read(policy)?)
}

pub(super) fn binary(request: &str, policy: &str) -> Option<bool> {
    let read = |text: &str| base64::engine::general_purpose::STANDARD.decode(text).ok();
    Some(read(request)? == read(policy)?)
}

pub(super) fn address(request: &str, policy: &str) -> Option<bool> {
    let address: IpAddr = request.parse().ok()?;
    let (network, length) = network(policy)?;
    Some(match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(n)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            u32::from(a) & mask == u32::from(n) & mask
        }
        (IpAddr::V6(a), IpAddr::V6(n)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
            u128::from(a) & mask == u128::from(n) & mask
        }
        _ => false,
    })
}

/// Reads `address` or `address/length`; a plain address is one host.
pub(crate) fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = text.split_once('/').map_or((text, None), |(a, l)| (a, Some(l)));
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let length = length.map_or(Some(most), |l| l.parse().ok())?;
    (length <= most).then_some((address, length))
}

fn ordered(found: Ordering, order: Order) -> bool {
    match order {
        Order::Equal => found.is_eq(),
        Order::Less => found.is_lt(),
        Order::LessOrEqual => found.is_le(),
        Order::Greater => found.is_gt(),
        Order::GreaterOrEqual => found.is_ge(),
    }
}

/// Nanoseconds since 1970 of a W3C date (`YYYY`, `YYYY-MM`, `YYYY-MM-DD`, with time and zone) or of epoch seconds.
///
/// Four digits are a year; any other run of digits is seconds.
pub(crate) fn instant(text: &str) -> Option<i128> {
    if text.len() != 4
        && let Ok(seconds) = text.parse::<i64>()
    {
        return Some(i128::from(seconds) * 1_000_000_000);
    }
    let (date, time) = text.split_once(['T', 't']).map_or((text, None), |(d, t)| (d, Some(t)));
    let mut parts = date.split('-');
    let mut field = |digits: usize, missing: u32| match parts.next() {
        Some(part) if part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()) => part.parse().ok(),
        Some(_) => None,
        None => Some(missing),
    };
    let (year, month, day) = (field(4, 0)?, field(2, 1)?, field(2, 1)?);
    if parts.next().is_some() {
        return None;
    }
    let date = Date::from_calendar_date(year as i32, Month::try_from(month as u8).ok()?, day as u8).ok()?;
    let (time, offset) = match time {
        None => (Time::MIDNIGHT, UtcOffset::UTC),
        Some(time) => clock(time)?,
    };
    Some(date.with_time(time).assume_offset(offset).unix_timestamp_nanos())
}

/// Reads `hh:mm[:ss[.fraction]]` with `Z` or `±hh:mm`; without a zone it is UTC.
fn clock(text: &str) -> Option<(Time, UtcOffset)> {
    let zone = text.find(['Z', 'z', '+', '-']).unwrap_or(text.len());
    let (clock, zone) = text.split_at_checked(zone)?;
    let two = |t: &str| (t.len() == 2 && t.bytes().all(|b| b.is_ascii_digit())).then(|| t.parse::<u8>().ok()).flatten();
    let mut parts = clock.split(':');
    let (hour, minute) = (two(parts.next()?)?, two(parts.next()?)?);
    let (second, nanosecond) = match parts.next() {
        None => (0, 0),
        Some(part) => {
            let (whole, fraction) = part.split_once('.').unwrap_or((part, "0"));
            let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
            (two(whole)?, digits.parse().ok()?)
        }
    };
    if parts.next().is_some() {
        return None;
    }
    let offset = match zone {
        "" | "Z" | "z" => UtcOffset::UTC,
        _ => {
            let sign = if zone.starts_with('-') { -1 } else { 1 };
            let (hours, minutes) = zone.get(1..)?.split_once(':')?;
            UtcOffset::from_hms(sign * two(hours)? as i8, sign * two(minutes)? as i8, 0).ok()?
        }
    };
    Some((Time::from_hms_nano(hour, minute, second, nanosecond).ok()?, offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_every_w3c_form_and_as_seconds() {
        let second = |text: &str| instant(text).map(|n| n / 1_000_000_000);
        assert_eq!(second("2026"), second("2026-01-01T00:00:00Z"));
        assert_eq!(second("2026-11"), second("2026-11-01"));
        assert_eq!(second("1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(second("1970-01-01T00:00:01.5Z"), Some(1));
        assert_eq!(second("1700000000"), Some(1_700_000_000));
        for text in ["", "soon", "2026-13", "2026-1-1", "2026-01-01T25:00Z", "2026-01-01T1:00Z"] {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    #[test]
    fn ranges_ignore_host_bits_and_families_do_not_mix() {
        assert_eq!(address("203.0.113.9", "203.0.113.7/24"), Some(true));
        assert_eq!(address("203.0.113.8", "203.0.113.7"), Some(false));
        assert_eq!(address("198.51.100.1", "0.0.0.0/0"), Some(true));
        assert_eq!(address("2001:db8::1", "2001:db8::/32"), Some(true));
        assert_eq!(address("203.0.113.9", "::/0"), Some(false));
        assert_eq!(address("203.0.113.9", "203.0.113.0/33"), None);
        assert_eq!(address("not an address", "0.0.0.0/0"), None);
    }
}
