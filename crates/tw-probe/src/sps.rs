//! The picture's size in a sequence parameter set of H.264 (ITU-T H.264, 7.3.2.1.1).
//!
//! Only the fields up to the size are read. Readers of the whole set (h264-reader,
//! with seven crates of its own) refuse it for what stands behind them as well.

/// Profiles whose sets say how colour is sampled, and may bring scaling lists.
const WITH_CHROMA: [u32; 13] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];

/// Width and height of what is shown, from a set without its NAL unit's first byte;
/// `None` when it makes no sense.
pub fn size(set: &[u8]) -> Option<(u16, u16)> {
    let mut bits = Bits::new(set);
    let profile = bits.take(8)?;
    let _constraints_and_level = bits.take(16)?;
    let _id = bits.unsigned()?;
    let chroma = if WITH_CHROMA.contains(&profile) { chroma(&mut bits)? } else { Chroma::of(1)? };
    let _log2_max_frame_num = bits.unsigned()?;
    skip_picture_order(&mut bits)?;
    let _max_num_ref_frames = bits.unsigned()?;
    let _gaps_allowed = bits.flag()?;
    let (columns, rows) = (bits.unsigned()?, bits.unsigned()?);
    let is_frames = bits.flag()?;
    if !is_frames {
        let _adaptive = bits.flag()?;
    }
    let _direct_8x8_inference = bits.flag()?;
    let [left, right, top, bottom] = if bits.flag()? {
        [bits.unsigned()?, bits.unsigned()?, bits.unsigned()?, bits.unsigned()?]
    } else {
        [0; 4]
    };

    // 7.4.2.1.1: macroblocks of 16 pixels, rows of a field cover two of a frame, and
    // cropping is counted in samples of colour (equations 7-18 to 7-21).
    let fields = if is_frames { 1 } else { 2 };
    let shown = |count: u64, unit: u64, cropped: u64| {
        let pixels = (16 * (count + 1)).checked_sub(unit * cropped)?;
        u16::try_from(pixels).ok().filter(|&pixels| pixels > 0)
    };
    let width = shown(columns, chroma.width, left + right)?;
    // Both counts are below 2^32, so nothing here leaves 64 bits.
    let height = shown(fields * (rows + 1) - 1, chroma.height * fields, top + bottom)?;
    Some((width, height))
}

/// How many pixels, across and down, share a sample of colour.
struct Chroma {
    width: u64,
    height: u64,
}

impl Chroma {
    /// From a `ChromaArrayType` (table 6-1); without colour, 0, a pixel counts for itself.
    fn of(array_type: u64) -> Option<Self> {
        let (width, height) = match array_type {
            1 => (2, 2),
            2 => (2, 1),
            0 | 3 => (1, 1),
            _ => return None,
        };
        Some(Self { width, height })
    }
}

fn chroma(bits: &mut Bits<'_>) -> Option<Chroma> {
    let format = bits.unsigned()?;
    let is_full = format == 3;
    let is_separate = is_full && bits.flag()?;
    let _depths = (bits.unsigned()?, bits.unsigned()?);
    let _lossless = bits.flag()?;
    if bits.flag()? {
        for list in 0..if is_full { 12 } else { 8 } {
            if bits.flag()? {
                skip_scaling_list(bits, if list < 6 { 16 } else { 64 })?;
            }
        }
    }
    Chroma::of(if is_separate { 0 } else { format })
}

/// 7.3.2.1.1.1: each value as its distance from the last; 0 ends the list.
fn skip_scaling_list(bits: &mut Bits<'_>, length: usize) -> Option<()> {
    let mut scale = 8;
    for _ in 0..length {
        scale = (scale + bits.signed()?).rem_euclid(256);
        if scale == 0 {
            break;
        }
    }
    Some(())
}

fn skip_picture_order(bits: &mut Bits<'_>) -> Option<()> {
    match bits.unsigned()? {
        0 => {
            let _log2_max_pic_order_cnt_lsb = bits.unsigned()?;
        }
        1 => {
            let _always_zero = bits.flag()?;
            let _offsets = (bits.signed()?, bits.signed()?);
            let frames = bits.unsigned().filter(|&frames| frames <= 255)?;
            for _ in 0..frames {
                bits.signed()?;
            }
        }
        2 => {}
        _ => return None,
    }
    Some(())
}

/// A NAL unit's bits, the highest of a byte first.
struct Bits<'a> {
    bytes: &'a [u8],
    /// How many bytes of 0 the last ones were.
    zeros: usize,
    byte: u8,
    /// How many bits of `byte` are still to come.
    left: u32,
}

impl<'a> Bits<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, zeros: 0, byte: 0, left: 0 }
    }

    /// After two bytes of 0, a 3 only keeps start codes out (7.4.1).
    fn next_byte(&mut self) -> Option<u8> {
        if self.zeros >= 2 && self.bytes.first() == Some(&3) {
            self.bytes = &self.bytes[1..];
            self.zeros = 0;
        }
        let (&byte, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        self.zeros = if byte == 0 { self.zeros + 1 } else { 0 };
        Some(byte)
    }

    fn flag(&mut self) -> Option<bool> {
        if self.left == 0 {
            self.byte = self.next_byte()?;
            self.left = 8;
        }
        self.left -= 1;
        Some(self.byte >> self.left & 1 == 1)
    }

    /// u(n), of at most 32 bits.
    fn take(&mut self, count: u32) -> Option<u32> {
        (0..count).try_fold(0, |value, _| Some(value << 1 | u32::from(self.flag()?)))
    }

    /// ue(v): so many bits of 0, a 1, and as many bits more (9.1). None of ours has
    /// more than 32 bits.
    fn unsigned(&mut self) -> Option<u64> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        Some((1 << zeros) - 1 + u64::from(self.take(zeros)?))
    }

    /// se(v): 1, -1, 2, -2 … (9.1.1).
    fn signed(&mut self) -> Option<i64> {
        let code = i64::try_from(self.unsigned()?).ok()?;
        Some(if code % 2 == 1 { (code + 1) / 2 } else { -code / 2 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The size in a set of hexadecimal digits.
    fn of(digits: &str) -> Option<(u16, u16)> {
        let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
        let bytes: Vec<u8> = (0..digits.len()).step_by(2).map(byte).collect();
        assert_eq!(bytes[0] & 0x1f, 7);
        size(&bytes[1..])
    }

    #[test]
    fn as_x264_writes_it() {
        for (digits, size) in [
            // Baseline, Main and High, 4:2:0.
            ("6742c01ed900a03db011000003000100000300320f162e48", (640, 480)),
            ("6742c01ed9017051e5f011000003000100000300328f162e48", (360, 640)),
            ("674d401feca02802dd80880000030008000003019078c18cb0", (1280, 720)),
            ("6764001eacd940a02ff97011000003000100000300320f162d96", (640, 360)),
            ("67640028acd940780227e5c044000003000400000300c83c60c658", (1920, 1080)),
            // Fields: rows count twice, also where they are cropped.
            ("67640028acd94078044fde0220000003002000000643e2c5b2c0", (1920, 1080)),
            // 4:2:2, 4:4:4 and grey: cropping counts in other steps.
            ("677a000dbcd9415087888fc044000003000400000300c83c50a658", (322, 242)),
            ("67f4000d919b282a10f1f1f808800000030080000019078a14cb", (322, 242)),
            ("6764000df36505421e3e3f016c800000030080000019078a14cb", (322, 242)),
        ] {
            assert_eq!(of(digits), Some(size), "{digits}");
        }
    }

    #[test]
    fn as_openh264_writes_it() {
        assert_eq!(of("6742c01e8c8d405017fcb00f08846a"), Some((640, 360)));
        assert_eq!(of("6742c01f8c8d402802dd00f08846a0"), Some((1280, 720)));
        assert_eq!(of("6742c0158c8d40f046f500f08846a0"), Some((480, 270)));
    }

    #[test]
    fn only_what_stands_before_the_size_is_needed() {
        assert_eq!(of("6742c01e8c8d405017fcb0"), Some((640, 360)));
        assert_eq!(of("6742c01e8c8d405017"), None);
    }

    /// Writes fields as the standard's tables list them.
    #[derive(Default)]
    struct Fields(Vec<bool>);

    impl Fields {
        fn high(chroma: u64) -> Self {
            // Profile 100, level 3, set 0.
            let fields = Self::default().bits(100, 8).bits(30, 16).ue(0).ue(chroma);
            let fields = if chroma == 3 { fields.bits(0, 1) } else { fields };
            fields.ue(0).ue(0).bits(0, 1)
        }

        fn bits(mut self, value: u64, count: u32) -> Self {
            self.0.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
            self
        }

        fn ue(self, value: u64) -> Self {
            let length = (value + 1).ilog2();
            self.bits(0, length).bits(value + 1, length + 1)
        }

        fn se(self, value: i64) -> Self {
            self.ue(if value > 0 { 2 * value.unsigned_abs() - 1 } else { 2 * value.unsigned_abs() })
        }

        /// From the picture's order on: 2 reference frames, 20 x 15 macroblocks.
        fn rest(self, crop: Option<[u64; 4]>) -> Option<(u16, u16)> {
            let fields = self.ue(2).bits(0, 1).ue(19).ue(14).bits(0b11, 2);
            let fields = match crop {
                Some(crop) => crop.into_iter().fold(fields.bits(1, 1), Fields::ue),
                None => fields.bits(0, 1),
            };
            let mut bytes = Vec::new();
            for bits in fields.bits(1, 1).0.chunks(8) {
                let byte = (0..8).fold(0, |byte, bit| byte << 1 | u8::from(bits.get(bit) == Some(&true)));
                if byte <= 3 && bytes.ends_with(&[0, 0]) {
                    bytes.push(3);
                }
                bytes.push(byte);
            }
            size(&bytes)
        }
    }

    #[test]
    fn scaling_lists_are_passed_over() {
        let lists = |chroma, count: usize| {
            let mut fields = Fields::high(chroma).bits(1, 1);
            for list in 0..count {
                fields = match list {
                    // As it is, one that ends at once, and one to its end.
                    0 => fields.bits(0, 1),
                    1 => fields.bits(1, 1).se(-8),
                    _ => (0..if list < 6 { 16 } else { 64 })
                        .fold(fields.bits(1, 1), |fields, n| fields.se(if n % 2 == 0 { 120 } else { -120 })),
                };
            }
            fields.ue(0).ue(2).rest(None)
        };
        assert_eq!([lists(1, 8), lists(3, 12)], [Some((320, 240)); 2]);
    }

    #[test]
    fn every_order_of_pictures_is_passed_over() {
        let fields = || Fields::high(1).bits(0, 1).ue(0);
        assert_eq!(fields().ue(0).ue(4).rest(None), Some((320, 240)));
        assert_eq!(fields().ue(2).rest(None), Some((320, 240)));
        let cycle = fields().ue(1).bits(1, 1).se(-3).se(70_000).ue(255);
        assert_eq!((0..255).fold(cycle, |fields, n| fields.se(n - 127)).rest(None), Some((320, 240)));
        assert_eq!(fields().ue(3).rest(None), None);
        assert_eq!(fields().ue(1).bits(1, 1).se(0).se(0).ue(256).rest(None), None);
    }

    #[test]
    fn what_is_cropped_is_not_shown() {
        let cropped = |crop| Fields::high(1).bits(0, 1).ue(0).ue(2).rest(Some(crop));
        assert_eq!(cropped([1, 2, 3, 4]), Some((314, 226)));
        assert_eq!(cropped([0, 159, 0, 0]), Some((2, 240)));
        // Nothing is left, or less.
        assert_eq!([cropped([0, 160, 0, 0]), cropped([0, 0, 90, 90])], [None; 2]);
        assert_eq!(cropped([u64::from(u32::MAX) - 1, 0, u64::from(u32::MAX) - 1, 0]), None);
        assert_eq!(Fields::high(4).bits(0, 1).ue(0).ue(2).rest(None), None);
    }

    #[test]
    fn a_number_has_at_most_32_bits() {
        let number = |zeros: u32| Fields::default().bits(66, 8).bits(30, 16).bits(0, zeros).bits(1, 1);
        assert_eq!(number(31).bits(7, 31).ue(0).ue(2).rest(None), Some((320, 240)));
        assert_eq!(number(32).bits(7, 32).ue(0).ue(2).rest(None), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_an_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = size(&bytes);
            // With a profile that says the most.
            let _ = size(&[&[100, 0, 30], bytes.as_slice()].concat());
        }
    }
}
