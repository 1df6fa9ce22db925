//! Records that compress as events of real systems do: JSON with names that repeat and values that do not. Random
//! letters would compress to no less than six tenths, and nobody's topics look like that.

use std::fmt::Write as _;
use std::io::{BufWriter, Write as _};
use std::path::Path;

/// Different lines in the file; few of a batch's are drawn twice.
const LINES: usize = 20_000;
const WORDS: [&str; 24] = [
    "leave",
    "at",
    "the",
    "door",
    "ring",
    "twice",
    "please",
    "call",
    "before",
    "arrival",
    "neighbour",
    "takes",
    "parcel",
    "fragile",
    "gift",
    "wrap",
    "invoice",
    "by",
    "post",
    "express",
    "no",
    "signature",
    "second",
    "floor",
];
const TOWNS: [&str; 8] = [
    "Lyon", "Turin", "Bergen", "Gdansk", "Porto", "Graz", "Ghent", "Cork",
];
const STATES: [&str; 4] = ["created", "paid", "packed", "shipped"];

/// Writes lines of exactly `size` bytes each, the same on every machine.
pub(crate) fn write(path: &Path, size: usize) -> std::io::Result<()> {
    let mut file = BufWriter::new(std::fs::File::create(path)?);
    let mut random = Random(0x6d69_7272_6f72);
    for _ in 0..LINES {
        let mut line = if size < 256 {
            short(&mut random)
        } else {
            long(&mut random, size)
        };
        pad(&mut line, size, &mut random);
        file.write_all(line.as_bytes())?;
        file.write_all(b"\n")?;
    }
    file.flush()
}

fn short(random: &mut Random) -> String {
    format!(
        "{{\"id\":{},\"sku\":\"{}\",\"qty\":{},\"price\":{}.{:02},\"note\":\"",
        random.below(100_000_000),
        sku(random),
        1 + random.below(9),
        random.below(500),
        random.below(100),
    )
}

fn long(random: &mut Random, size: usize) -> String {
    let mut line = format!(
        "{{\"orderId\":\"{:016x}\",\"status\":\"{}\",\"createdAt\":{},\"customer\":{{\"id\":{},\"email\":\"c{}@example.com\",\
         \"address\":{{\"street\":\"{} Street {}\",\"city\":\"{}\",\"postcode\":\"{:05}\"}}}},\"items\":[",
        random.next(),
        random.one_of(&STATES),
        1_760_000_000_000 + random.below(10_000_000_000),
        random.below(10_000_000),
        random.below(10_000_000),
        random.one_of(&WORDS),
        random.below(300),
        random.one_of(&TOWNS),
        random.below(100_000),
    );
    while line.len() + 180 < size {
        // writing to a String cannot fail
        let _ = write!(
            line,
            "{{\"sku\":\"{}\",\"quantity\":{},\"unitPrice\":{}.{:02},\"currency\":\"EUR\",\"warehouse\":\"{}\"}},",
            sku(random),
            1 + random.below(9),
            random.below(500),
            random.below(100),
            random.one_of(&TOWNS),
        );
    }
    line.push_str("null],\"note\":\"");
    line
}

fn sku(random: &mut Random) -> String {
    format!("{:08X}", random.next() as u32)
}

/// Fills the note with words, and ends the object.
fn pad(line: &mut String, size: usize, random: &mut Random) {
    while line.len() + 2 < size {
        line.push_str(random.one_of(&WORDS));
        line.push(' ');
    }
    line.truncate(size - 2);
    line.push_str("\"}");
}

/// `SplitMix64`.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn one_of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_json_of_the_size_asked_for() {
        let mut random = Random(1);
        for size in [100, 1_024] {
            for _ in 0..1_000 {
                let mut line = if size < 256 {
                    short(&mut random)
                } else {
                    long(&mut random, size)
                };
                pad(&mut line, size, &mut random);
                assert_eq!(line.len(), size);
                serde_json::from_str::<serde_json::Value>(&line).expect(&line);
            }
        }
    }
}
