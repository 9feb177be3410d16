//! AES-256 in CBC mode with PKCS padding (RFC 5652, 6.3), as the bytes come in.
//!
//! A block of CBC is decrypted with nothing but the key and the stored block before
//! it. So a download that broke off goes on from what has been decrypted: it asks
//! for one stored block more, and throws away what that one decrypts to. Neither
//! the key nor encrypted bytes need to be kept.

use aes::Aes256;
use cbc::Decryptor;
use cbc::cipher::block_padding::{Padding, Pkcs7};
use cbc::cipher::{Array, Block, BlockModeDecrypt, KeyIvInit};
use tw_core::{ErrorKind, Failure};

use crate::private_key::ContentKey;

/// Bytes of a block of AES.
pub(crate) const BLOCK: usize = 16;

/// How long media of so many bytes is when it is stored: padded to whole blocks,
/// with at least one byte.
pub(crate) fn stored_length(plain: u64) -> u64 {
    (plain / BLOCK as u64).saturating_add(1).saturating_mul(BLOCK as u64)
}

/// Media being decrypted.
pub(crate) struct Decryption {
    cipher: Decryptor<Aes256>,
    /// Stored bytes that are yet to be decrypted: less than a block, or a block
    /// that may be the last one, which holds the padding.
    pending: Vec<u8>,
    /// Bytes to be thrown away.
    skip: usize,
}

impl Decryption {
    /// Begins with a block whose predecessor, or initialization vector, is `iv`.
    pub(crate) fn new(key: &ContentKey, iv: &[u8; BLOCK]) -> Self {
        let cipher = Decryptor::new(&Array::from(**key), &Array::from(*iv));
        Self { cipher, pending: Vec::new(), skip: 0 }
    }

    /// Throws the first block away: its predecessor was not the one that was given.
    pub(crate) fn without_first_block(self) -> Self {
        Self { skip: BLOCK, ..self }
    }

    /// Takes stored bytes, and gives what can be decrypted: whole blocks.
    pub(crate) fn push(&mut self, stored: &[u8]) -> Vec<u8> {
        self.pending.extend_from_slice(stored);
        let ready = self.pending.len().saturating_sub(1) / BLOCK * BLOCK;
        let rest = self.pending.split_off(ready);
        let mut bytes = std::mem::replace(&mut self.pending, rest);
        let (blocks, _) = Block::<Decryptor<Aes256>>::slice_as_chunks_mut(&mut bytes);
        self.cipher.decrypt_blocks(blocks);
        let skip = self.skip.min(bytes.len());
        self.skip -= skip;
        bytes.drain(..skip);
        bytes
    }

    /// The last bytes, without the padding.
    ///
    /// # Errors
    /// When the media doesn't end with a whole block and right padding.
    pub(crate) fn finish(mut self) -> Result<Vec<u8>, Failure> {
        let bad_end = || {
            let message = "its media can't be decrypted to its end: it was cut short, or changed since it was encrypted";
            Failure::new(ErrorKind::Media, message)
        };
        let last = <[u8; BLOCK]>::try_from(self.pending.as_slice()).map_err(|_| bad_end())?;
        if self.skip > 0 {
            return Err(bad_end());
        }
        let mut block = Array::from(last);
        self.cipher.decrypt_block(&mut block);
        Pkcs7::unpad(&block).map(<[u8]>::to_vec).map_err(|_| bad_end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cbc::cipher::BlockModeEncrypt;
    use proptest::prelude::*;

    fn key() -> ContentKey {
        ContentKey::new([7; 32])
    }

    fn encrypted(plain: &[u8]) -> Vec<u8> {
        let mut cipher = cbc::Encryptor::<Aes256>::new(&Array::from(*key()), &Array::from([9; BLOCK]));
        let padding = BLOCK - plain.len() % BLOCK;
        let mut bytes = [plain, &vec![padding as u8; padding]].concat();
        cipher.encrypt_blocks(Block::<Decryptor<Aes256>>::slice_as_chunks_mut(&mut bytes).0);
        bytes
    }

    fn decrypted(mut decryption: Decryption, stored: &[u8], piece: usize) -> Result<Vec<u8>, Failure> {
        let mut plain = Vec::new();
        for piece in stored.chunks(piece) {
            plain.extend(decryption.push(piece));
            assert_eq!(plain.len() % BLOCK, 0);
        }
        plain.extend(decryption.finish()?);
        Ok(plain)
    }

    proptest! {
        #[test]
        fn comes_whole_in_pieces_and_goes_on_at_any_block(
            plain in proptest::collection::vec(any::<u8>(), 0..200),
            piece in 1..70_usize,
            block in 0..12_usize,
        ) {
            let stored = encrypted(&plain);
            prop_assert_eq!(stored.len() as u64, stored_length(plain.len() as u64));
            let begun = Decryption::new(&key(), &[9; BLOCK]);
            prop_assert_eq!(decrypted(begun, &stored, piece), Ok(plain.clone()));
            let at = block.clamp(1, (stored.len() / BLOCK).max(2) - 1) * BLOCK;
            if at < stored.len() {
                let later = Decryption::new(&key(), &[9; BLOCK]).without_first_block();
                prop_assert_eq!(decrypted(later, &stored[at - BLOCK..], piece), Ok(plain[at..].to_vec()));
            }
        }
    }

    #[test]
    fn a_bad_end_is_noticed() {
        let stored = encrypted(&[0; 40]);
        let begun = || Decryption::new(&key(), &[9; BLOCK]);
        assert!(decrypted(begun(), &stored[..47], 16).is_err());
        assert!(decrypted(begun(), &stored[..32], 16).is_err());
        assert!(decrypted(begun(), &[], 16).is_err());
        assert!(decrypted(begun().without_first_block(), &stored[..16], 16).is_err());
    }
}
