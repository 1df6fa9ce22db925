//! Walks two partitions side by side, in bounded memory, and tells repeated, moved, altered, lost
//! and foreign records apart.

use std::collections::VecDeque;

use crate::Error;
use crate::compare::entry::Entry;
use crate::compare::recent::{HashKeyed, Recent};

/// How far both sides are read ahead to find where they agree again; the nearest first.
const LOOK_AHEAD: [usize; 3] = [16, 256, 8192];
/// With this many differences open in one partition the walk ends: the verdict is clear.
const MOST_OPEN: usize = 100_000;

/// One side of the walk.
pub(crate) trait Side {
    /// The next record; `None` at the end.
    fn next(&mut self) -> Result<Option<Entry>, Error>;
    /// The other side has ended: wait for nothing beyond what is there.
    fn stop_waiting(&mut self);
}

/// A difference that is not repeated, moved or timestamp-only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Open {
    pub(crate) source: Option<Entry>,
    pub(crate) target: Option<Entry>,
}

/// What the walk over one partition found.
#[derive(Debug, Default)]
pub(crate) struct Alignment {
    pub(crate) source_records: u64,
    pub(crate) target_records: u64,
    pub(crate) matched: u64,
    pub(crate) duplicates: u64,
    pub(crate) replays: u64,
    pub(crate) longest_replay: u64,
    /// The first repeated record of the longest replay, on the target.
    pub(crate) longest_replay_at: Option<Entry>,
    pub(crate) moved: u64,
    /// The first moved record, on both sides.
    pub(crate) first_moved: Option<(Entry, Entry)>,
    pub(crate) retimed: u64,
    /// The first record whose timestamp alone differs, on both sides.
    pub(crate) first_retimed: Option<(Entry, Entry)>,
    /// The first record of the source that both sides have.
    pub(crate) first_common: Option<(Entry, Entry)>,
    /// Of each wanted source offset the first record from there on that both sides have, as `(wanted, source, target)`.
    pub(crate) places: Vec<(i64, i64, i64)>,
    /// Records of aborted or open transactions of the source.
    pub(crate) aborted: u64,
    /// The first of them, on both sides.
    pub(crate) first_aborted: Option<(Entry, Entry)>,
    /// Altered (both sides), lost (source only) and foreign (target only) records, in order.
    pub(crate) open: Vec<Open>,
    /// The walk ended early because there were too many differences.
    pub(crate) gave_up: bool,
}

impl Alignment {
    /// Whether a difference lies before everything that both sides have.
    pub(crate) fn is_before_all(&self, open: &Open) -> bool {
        let Some((ours, theirs)) = self.first_common else {
            return true;
        };
        open.source.is_none_or(|it| it.offset < ours.offset)
            && open.target.is_none_or(|it| it.offset < theirs.offset)
    }
}

struct Ahead<'s> {
    side: &'s mut dyn Side,
    held: VecDeque<Entry>,
    ended: bool,
    taken: u64,
}

impl<'s> Ahead<'s> {
    fn new(side: &'s mut dyn Side) -> Self {
        Self {
            side,
            held: VecDeque::new(),
            ended: false,
            taken: 0,
        }
    }

    fn fill(&mut self, count: usize) -> Result<(), Error> {
        while self.held.len() < count && !self.ended {
            match self.side.next()? {
                Some(entry) => self.held.push_back(entry),
                None => self.ended = true,
            }
        }
        Ok(())
    }

    fn peek(&mut self) -> Result<Option<Entry>, Error> {
        self.fill(1)?;
        Ok(self.held.front().copied())
    }

    fn take(&mut self) -> Option<Entry> {
        let entry = self.held.pop_front();
        self.taken += u64::from(entry.is_some());
        entry
    }
}

/// What a walk is asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// How many records back a repeated record is recognised as one.
    pub(crate) remembered: usize,
    /// Source offsets whose place on the target is looked for, rising.
    pub(crate) offsets: VecDeque<i64>,
}

struct Walk {
    recent: Recent,
    offsets: VecDeque<i64>,
    found: Alignment,
    /// Which open differences wait for an equal record of the other side.
    lost: HashKeyed<Vec<usize>>,
    foreign: HashKeyed<Vec<usize>>,
    replay: u64,
    replay_start: Option<Entry>,
    replay_next: u64,
}

/// Walks both sides to their ends. `tick` is called once a step and may stop the walk with an error.
pub(crate) fn align(
    source: &mut dyn Side,
    target: &mut dyn Side,
    wanted: Wanted,
    tick: &mut dyn FnMut() -> Result<(), Error>,
) -> Result<Alignment, Error> {
    let mut walk = Walk {
        recent: Recent::new(wanted.remembered.max(1)),
        offsets: wanted.offsets,
        found: Alignment::default(),
        lost: HashKeyed::default(),
        foreign: HashKeyed::default(),
        replay: 0,
        replay_start: None,
        replay_next: 0,
    };
    let (mut source, mut target) = (Ahead::new(source), Ahead::new(target));
    loop {
        tick()?;
        let ours = source.peek()?;
        if ours.is_none() {
            target.side.stop_waiting();
        }
        match (ours, target.peek()?) {
            (None, None) => break,
            (Some(ours), Some(theirs)) if ours.identity == theirs.identity => {
                source.take();
                target.take();
                walk.matched(ours, theirs);
            }
            (_, Some(theirs)) if walk.repeated(theirs) => {
                target.take();
            }
            (_, Some(theirs)) if walk.comes_late(theirs) => {
                target.take();
            }
            (Some(ours), _) if walk.came_early(ours) => {
                source.take();
            }
            (ours, theirs) => {
                let (skip, over) = match (ours, theirs) {
                    (Some(_), Some(_)) => resync(&mut source, &mut target)?,
                    (Some(_), None) => (1, 0),
                    (None, Some(_) | None) => (0, 1),
                };
                walk.differ(&mut source, skip, &mut target, over);
            }
        }
        if walk.found.open.len() > MOST_OPEN {
            walk.found.gave_up = true;
            break;
        }
    }
    walk.found.source_records = source.taken;
    walk.found.target_records = target.taken;
    Ok(walk.finish())
}

/// How many records to set aside on each side until they agree again; everything held when they
/// do not agree within the look-ahead.
fn resync(source: &mut Ahead<'_>, target: &mut Ahead<'_>) -> Result<(usize, usize), Error> {
    for reach in LOOK_AHEAD {
        source.fill(reach)?;
        target.fill(reach)?;
        let mut places = HashKeyed::<usize>::default();
        for (place, entry) in target.held.iter().take(reach).enumerate() {
            places.entry(entry.identity).or_insert(place);
        }
        let mut best: Option<(usize, usize)> = None;
        for (skip, entry) in source.held.iter().take(reach).enumerate() {
            if best.is_some_and(|(ours, theirs)| skip >= ours + theirs) {
                break;
            }
            if let Some(&over) = places.get(&entry.identity)
                && best.is_none_or(|(ours, theirs)| skip + over < ours + theirs)
            {
                best = Some((skip, over));
            }
        }
        if let Some(best) = best {
            return Ok(best);
        }
    }
    Ok((source.held.len(), target.held.len()))
}

impl Walk {
    fn matched(&mut self, ours: Entry, theirs: Entry) {
        self.found.matched += 1;
        self.end_replay();
        self.recent.push(ours.identity);
        self.on_both_sides(ours, theirs);
        while let Some(offset) = self.offsets.pop_front_if(|offset| *offset <= ours.offset) {
            self.found.places.push((offset, ours.offset, theirs.offset));
        }
    }

    fn on_both_sides(&mut self, ours: Entry, theirs: Entry) {
        let first = self.found.first_common.get_or_insert((ours, theirs));
        if ours.offset < first.0.offset {
            *first = (ours, theirs);
        }
    }

    /// Whether both sides had this record a while ago: then the target repeats it.
    fn repeated(&mut self, theirs: Entry) -> bool {
        let Some(place) = self.recent.place(theirs.identity) else {
            return false;
        };
        if self.replay == 0 || place != self.replay_next {
            self.end_replay();
            self.found.replays += 1;
            self.replay_start = Some(theirs);
        }
        self.found.duplicates += 1;
        self.replay += 1;
        self.replay_next = place + 1;
        true
    }

    fn end_replay(&mut self) {
        if self.replay > self.found.longest_replay {
            self.found.longest_replay = self.replay;
            self.found.longest_replay_at = self.replay_start;
        }
        self.replay = 0;
    }

    /// Whether the source had this record before, at a place where the target did not.
    fn comes_late(&mut self, theirs: Entry) -> bool {
        let Some(at) = last(&mut self.lost, theirs.identity) else {
            return false;
        };
        if let Some(ours) = self.found.open[at].source.take() {
            self.moved(ours, theirs);
        }
        true
    }

    /// Whether the target had this record before, at a place where the source did not.
    fn came_early(&mut self, ours: Entry) -> bool {
        let Some(at) = last(&mut self.foreign, ours.identity) else {
            return false;
        };
        if let Some(theirs) = self.found.open[at].target.take() {
            self.moved(ours, theirs);
        }
        true
    }

    fn moved(&mut self, ours: Entry, theirs: Entry) {
        self.end_replay();
        self.found.moved += 1;
        self.found.first_moved.get_or_insert((ours, theirs));
        self.on_both_sides(ours, theirs);
        self.recent.push(ours.identity);
    }

    /// Sets aside the next records of both sides, paired in order as far as both go.
    fn differ(&mut self, source: &mut Ahead<'_>, skip: usize, target: &mut Ahead<'_>, over: usize) {
        self.end_replay();
        let mut theirs = VecDeque::new();
        for _ in 0..over {
            if let Some(entry) = target.take()
                && !self.repeated(entry)
                && !self.comes_late(entry)
            {
                theirs.push_back(entry);
            }
        }
        for _ in 0..skip {
            let Some(ours) = source.take() else { break };
            if self.came_early(ours) {
                continue;
            }
            match theirs.pop_front() {
                Some(theirs) if theirs.content == ours.content => self.retimed(ours, theirs),
                theirs => self.open(Some(ours), theirs),
            }
        }
        for entry in theirs {
            self.open(None, Some(entry));
        }
    }

    fn retimed(&mut self, ours: Entry, theirs: Entry) {
        self.found.retimed += 1;
        self.found.first_retimed.get_or_insert((ours, theirs));
        self.on_both_sides(ours, theirs);
        // so that a replay of it on the target is known as one
        self.recent.push(theirs.identity);
    }

    fn open(&mut self, source: Option<Entry>, target: Option<Entry>) {
        let at = self.found.open.len();
        self.found.open.push(Open { source, target });
        if let Some(ours) = source {
            self.lost.entry(ours.identity).or_default().push(at);
        }
        if let Some(theirs) = target {
            self.foreign.entry(theirs.identity).or_default().push(at);
        }
    }

    fn finish(mut self) -> Alignment {
        self.end_replay();
        self.found
            .open
            .retain(|open| open.source.is_some() || open.target.is_some());
        self.found
    }
}

fn last(index: &mut HashKeyed<Vec<usize>>, identity: u128) -> Option<usize> {
    let waiting = index.get_mut(&identity)?;
    let at = waiting.pop();
    if waiting.is_empty() {
        index.remove(&identity);
    }
    at
}
