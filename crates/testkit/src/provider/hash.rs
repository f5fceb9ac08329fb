//! A fast hash and dice that are the same on every machine and in every run.

/// Folds a product of two words into one: every bit of the result hangs on every bit of both.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    #[expect(clippy::cast_possible_truncation, reason = "the halves are folded")]
    let halves = (product as u64, (product >> 64) as u64);
    halves.0 ^ halves.1
}

const FIRST: u64 = 0x2d35_8dcc_aa6c_78a5;
const SECOND: u64 = 0x8bb8_4b93_962e_acc9;

/// Hash of some bytes, 16 at a time: prompts are long, and each is hashed several times.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    let mut state = FIRST ^ (bytes.len() as u64);
    let word = |bytes: &[u8]| {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        u64::from_le_bytes(word)
    };
    let (pairs, rest) = bytes.as_chunks::<16>();
    for pair in pairs {
        state = fold(word(&pair[..8]) ^ SECOND, word(&pair[8..]) ^ state);
    }
    let (left, right) = rest.split_at(rest.len().min(8));
    mix(fold(word(left) ^ SECOND, word(right) ^ state))
}

/// One word from one word.
pub(super) fn mix(word: u64) -> u64 {
    fold(word ^ FIRST, fold(word ^ SECOND, FIRST) | 1)
}

/// A sequence of numbers that hangs on what it was made from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(mix(seed))
    }

    pub fn and(self, word: u64) -> Dice {
        Dice(mix(self.0.rotate_left(23) ^ mix(word)))
    }

    pub fn with(self, text: &str) -> Dice {
        self.and(hash(text.as_bytes()))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// From 0 to just below 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
    pub fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From 0 to just below the limit; 0 if that is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % (limit.max(1) as u64)).unwrap_or(0)
    }

    /// Normally distributed around 0.
    pub fn normal(&mut self) -> f64 {
        let (radius, angle) = (self.share().max(1e-12), self.share());
        (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_even_and_hang_on_everything() {
        let share = |n: u64| Dice::new(1).with("model").and(n).share();
        let below = (0..20_000).filter(|n| share(*n) < 0.1).count();
        assert!((1_800..2_200).contains(&below), "{below} of 20,000 below a tenth");
        assert_ne!(share(1), share(2));
        assert_eq!(share(1), share(1));
        let text = vec![b'a'; 100];
        for at in 0..100 {
            let mut other = text.clone();
            other[at] = b'b';
            assert_ne!(hash(&text), hash(&other), "byte {at}");
        }
    }
}
