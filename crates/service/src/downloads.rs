//! Files on their way out, in pieces that fit into messages.

use std::pin::Pin;

use futures_util::{Stream, StreamExt};
use tonic::{Response, Status};

/// Bytes of a piece of a file on its way.
pub const CHUNK_BYTES: usize = 256 * 1024;

/// A file that is handed out in pieces.
pub type Pieces<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// A file in pieces, after what is told of it first.
pub fn pieces<T: Send + 'static>(first: Option<T>, bytes: &[u8], piece: fn(Vec<u8>) -> T) -> Response<Pieces<T>> {
    let chunks: Vec<Vec<u8>> = bytes.chunks(CHUNK_BYTES).map(<[u8]>::to_vec).collect();
    let told = futures_util::stream::iter(first);
    Response::new(told.chain(futures_util::stream::iter(chunks).map(piece)).map(Ok).boxed())
}
