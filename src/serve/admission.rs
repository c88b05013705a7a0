//! Who may come in: so many at once, and so many from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Why somebody may not come in now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// The house is full.
    Full,
    /// This address holds as many connections as one may.
    Crowd,
}

impl Refused {
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Crowd => "crowd",
        }
    }
}

/// Counts who is in.
#[derive(Debug, Clone)]
pub(super) struct Admission {
    most: usize,
    most_each: usize,
    inside: Arc<Mutex<Inside>>,
}

#[derive(Debug, Default)]
struct Inside {
    all: usize,
    by_address: HashMap<Option<IpAddr>, usize>,
}

/// A place in the house, free again when dropped.
#[derive(Debug)]
pub(super) struct Permit {
    inside: Arc<Mutex<Inside>>,
    address: Option<IpAddr>,
}

impl Admission {
    pub(super) fn new(most: usize, most_each: usize) -> Self {
        Self { most, most_each, inside: Arc::default() }
    }

    /// A place for a connection from an address; none is the machine itself, by a Unix socket.
    pub(super) fn enter(&self, address: Option<IpAddr>) -> Result<Permit, Refused> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if inside.all >= self.most {
            return Err(Refused::Full);
        }
        let of_address = inside.by_address.entry(address).or_default();
        if *of_address >= self.most_each {
            return Err(Refused::Crowd);
        }
        *of_address += 1;
        inside.all += 1;
        Ok(Permit { inside: Arc::clone(&self.inside), address })
    }

    /// How many are in.
    pub(super) fn inside(&self) -> usize {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner).all
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.all -= 1;
        if let Some(count) = inside.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                inside.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_and_come_back() {
        let admission = Admission::new(3, 2);
        let (a, b): (IpAddr, IpAddr) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        let first = admission.enter(Some(a)).unwrap();
        let _second = admission.enter(Some(a)).unwrap();
        assert_eq!(admission.enter(Some(a)).unwrap_err(), Refused::Crowd);
        let _third = admission.enter(Some(b)).unwrap();
        assert_eq!(admission.enter(None).unwrap_err(), Refused::Full);
        drop(first);
        assert_eq!(admission.inside(), 2);
        drop(admission.enter(Some(a)).unwrap());
        drop((_second, _third));
        let inside = admission.inside.lock().unwrap();
        assert!(inside.by_address.is_empty(), "{inside:?}");
    }
}
