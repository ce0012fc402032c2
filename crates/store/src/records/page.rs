//! Pages of scans and sweeps.

use bytes::Bytes;

use super::{PAGE_BYTES_MAX, Partition, Record, Value};

/// One page of a scan.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The items, in the order of their sort keys.
    pub items: Vec<T>,
    /// Whether more may follow; go on from after the last item's sort key.
    pub more: bool,
}

/// Where a sweep goes on. Opaque; belongs to the back end that gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweepCursor(pub Bytes);

/// One page of a sweep, in no particular order. A record may come twice, none is left out that was there
/// throughout. Expired records that are still there come too: clean-up is one reason to sweep. A page may be
/// empty though the sweep goes on.
#[derive(Clone, Debug)]
pub struct SweepPage {
    /// Records with the partition each stands in.
    pub items: Vec<(Partition, Record)>,
    /// Where to go on, unless the sweep is over.
    pub next: Option<SweepCursor>,
}

/// What may still go into a page.
pub(super) struct PageBudget {
    records: usize,
    bytes: usize,
}

impl PageBudget {
    pub(super) fn new(records: usize) -> Self {
        Self { records, bytes: PAGE_BYTES_MAX }
    }

    pub(super) fn is_left(&self) -> bool {
        self.records > 0 && self.bytes > 0
    }

    /// How many more records fit, if their values do.
    pub(super) fn records(&self) -> usize {
        self.records
    }

    pub(super) fn spend(&mut self, record: &Record) {
        let bytes = match &record.value {
            Value::Bytes(bytes) => bytes.len(),
            Value::Counter(_) => 0,
        };
        self.records = self.records.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}
