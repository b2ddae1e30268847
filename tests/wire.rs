//! A wire between two processes, to be cut.

use std::sync::{Arc, Mutex};

use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// Passes on what is sent to its address; ends with its runtime.
pub struct Wire {
    /// Where it takes connections.
    pub address: String,
    open: Arc<Mutex<JoinSet<()>>>,
}

impl Wire {
    /// A wire to an address.
    pub async fn to(address: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let wire = Self { address: listener.local_addr().expect("an address").to_string(), open: Arc::default() };
        let (open, address) = (wire.open.clone(), address.to_owned());
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let address = address.clone();
                open.lock().expect("nobody panics here").spawn(async move {
                    let Ok(mut far) = TcpStream::connect(address).await else { return };
                    // Either side may hang up.
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                });
            }
        });
        wire
    }

    /// Breaks every connection that is open; who connects again is served.
    pub fn cut(&self) {
        self.open.lock().expect("nobody panics here").abort_all();
    }
}
