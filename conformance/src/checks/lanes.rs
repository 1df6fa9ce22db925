//! What a check keeps of each stream on each target partition.

use std::collections::HashMap;

/// A target partition and a stream.
type Name = (i32, u32);

/// One of them for each stream on each partition, made when it is first asked for. Records of one come in runs, so that the last
/// one is at hand.
#[derive(Debug, Default)]
pub(crate) struct Lanes<T> {
    places: HashMap<Name, usize>,
    kept: Vec<T>,
    last: Option<(Name, usize)>,
}

impl<T: Default> Lanes<T> {
    /// That of this stream on this partition.
    pub(crate) fn of(&mut self, partition: i32, stream: u32) -> &mut T {
        let name = (partition, stream);
        let place = match self.last {
            Some((last, place)) if last == name => place,
            Some(_) | None => {
                let next = self.kept.len();
                let place = *self.places.entry(name).or_insert(next);
                if place == next {
                    self.kept.push(T::default());
                }
                self.last = Some((name, place));
                place
            }
        };
        &mut self.kept[place]
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.kept.len()
    }
}

#[cfg(test)]
mod tests {
    use super::Lanes;

    #[test]
    fn each_stream_on_each_partition_has_one_of_its_own() {
        let mut lanes: Lanes<u32> = Lanes::default();
        for (partition, stream) in [(0, 0), (0, 1), (1, 0), (0, 0), (0, 0), (1, 0)] {
            *lanes.of(partition, stream) += 1;
        }
        assert_eq!(lanes.len(), 3);
        assert_eq!(
            (*lanes.of(0, 0), *lanes.of(0, 1), *lanes.of(1, 0)),
            (3, 1, 2)
        );
    }
}
