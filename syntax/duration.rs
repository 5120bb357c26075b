//! Durations as Go reads them: `1h2m3.5s`.

/// The units with their length in nanoseconds; the longer names first.
const UNITS: [(&str, f64); 8] =
    [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("μs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9)];

/// Why BuildKit refuses `value` as the HEALTHCHECK flag `name`, if it does. Zero is allowed; else a
/// duration must be at least a millisecond.
pub(crate) fn fault(name: &str, value: &str) -> Option<String> {
    match nanoseconds(value) {
        Err(fault) => Some(format!("time: {fault}duration {value:?}")),
        Ok(length) if length != 0.0 && length < 1e6 => {
            Some(format!("Interval {name:?} cannot be less than 1ms"))
        }
        Ok(_) => None,
    }
}

fn nanoseconds(value: &str) -> Result<f64, &'static str> {
    let (sign, mut rest) = match value.as_bytes().first() {
        Some(b'-') => (-1.0, &value[1..]),
        Some(b'+') => (1.0, &value[1..]),
        _ => (1.0, value),
    };
    if rest == "0" {
        return Ok(0.0);
    }
    if rest.is_empty() {
        return Err("invalid ");
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number: f64 = rest[..end].parse().map_err(|_| "invalid ")?;
        rest = &rest[end..];
        let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let (unit, after) = rest.split_at(end);
        if unit.is_empty() {
            return Err("missing unit in ");
        }
        let (_, length) = UNITS.iter().find(|(name, _)| *name == unit).ok_or("unknown unit in ")?;
        total += number * length;
        rest = after;
    }
    // Go counts in 64 bits.
    if total >= 9.223_372_036_854_775e18 {
        return Err("invalid ");
    }
    Ok(sign * total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_checked() {
        for good in ["0", "-0", "0s", "30s", "1h2m3.5s", ".5s", "5.s", "1ms", "1000µs", "+1s", "2000000h"] {
            assert_eq!(fault("x", good), None, "{good}");
        }
        for bad in ["5", "s", "", "-", "1x", "-5s", "1ns", "999us", "1.2.3s", ".s", "5 s", "9999999999h"] {
            assert!(fault("x", bad).is_some(), "{bad}");
        }
    }
}
