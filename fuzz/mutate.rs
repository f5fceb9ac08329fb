//! Bytes for a smoke run: seeds, and what becomes of them. The same ones every time, so that a failure is found again.

/// A small generator of numbers (xorshift).
struct Dice(u64);

impl Dice {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap_or(0) % below.max(1)
    }
}

/// Calls `target` with every seed as it is, and then with `rounds` mutations of them.
pub fn smoke(seeds: &[Vec<u8>], rounds: usize, target: impl Fn(&[u8])) {
    const TELLING: [u8; 8] = [0, 1, 0x7f, 0x80, 0xff, b'\n', b'%', b'<'];
    seeds.iter().for_each(|seed| target(seed));
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for _ in 0..rounds {
        let mut bytes = seeds[dice.next(seeds.len())].clone();
        for _ in 0..=dice.next(8) {
            let at = dice.next(bytes.len() + 1);
            match dice.next(6) {
                0 if at < bytes.len() => bytes[at] ^= 1 << dice.next(8),
                1 if at < bytes.len() => bytes[at] = TELLING[dice.next(TELLING.len())],
                2 => bytes.truncate(at),
                3 => bytes.insert(at, u8::try_from(dice.next(256)).unwrap_or_default()),
                4 => {
                    // A piece of another one, or of itself.
                    let other = &seeds[dice.next(seeds.len())];
                    let from = dice.next(other.len() + 1);
                    let to = from + dice.next((other.len() - from).min(64) + 1);
                    bytes.splice(at..at, other[from..to].iter().copied());
                }
                _ if at < bytes.len() => {
                    let to = at + dice.next((bytes.len() - at).min(32) + 1);
                    bytes.drain(at..to);
                }
                _ => {}
            }
        }
        target(&bytes);
    }
}
