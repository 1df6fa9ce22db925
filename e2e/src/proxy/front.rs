//! A proxy in front of every broker of a cluster.

use std::sync::Arc;
use std::time::Duration;

use super::address::Addresses;
use super::api::Api;
use super::connection::forward;
use super::faults::{Faults, Harm, Passage};
use crate::forwarding::Forwarding;
use crate::{KafkaCluster, ReservedPort, Result};

/// Stands in front of all brokers of a cluster, until dropped, and does what it is told to everything that passes. Brokers
/// are named by its addresses in what it lets through, so who comes in by it stays behind it. Plain listeners only: it has to
/// read what it carries.
///
/// ```no_run
/// use e2e::{Api, ClusterSpec, Harm, KafkaCluster, KafkaProxy};
/// # fn main() -> e2e::Result<()> {
/// let cluster = KafkaCluster::start(&ClusterSpec::single())?;
/// let proxy = KafkaProxy::before(&cluster)?;
/// let produce = Api::named("Produce").expect("there is such a request");
/// proxy.strike(produce, Harm::Lose); // the next record of who bootstraps at proxy.bootstrap_servers() is written twice, or once
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct KafkaProxy {
    faults: Arc<Faults>,
    doors: Vec<Forwarding>,
    _ports: Vec<ReservedPort>,
}

impl KafkaProxy {
    /// In front of the cluster's plain listeners.
    ///
    /// # Errors
    /// No port is free, or one cannot be listened on.
    pub fn before(cluster: &KafkaCluster) -> Result<Self> {
        let servers = cluster.bootstrap_servers();
        let brokers = servers
            .split(',')
            .filter_map(|server| server.rsplit_once(':')?.1.parse().ok());
        Self::before_ports(brokers)
    }

    /// In front of brokers on these ports of 127.0.0.1, which call themselves so. They need not be up yet: a connection
    /// that a broker refuses is closed.
    ///
    /// # Errors
    /// As [`Self::before`].
    pub fn before_ports(brokers: impl Iterator<Item = u16>) -> Result<Self> {
        let faults = Arc::new(Faults::none());
        let mut ports = Vec::new();
        let mut addresses = Addresses::default();
        for broker in brokers {
            let port = ReservedPort::any()?;
            addresses.0.push((broker, port.number()));
            ports.push(port);
        }
        let told = Arc::new(addresses);
        let doors = told.0.iter().map(|(broker, port)| {
            let (broker, faults, addresses) = (*broker, faults.clone(), told.clone());
            Forwarding::start("a proxy", *port, move |near| {
                forward(near, broker, &addresses, &faults)
            })
        });
        Ok(Self {
            doors: doors.collect::<Result<_>>()?,
            faults,
            _ports: ports,
        })
    }

    /// `host:port` of the way to every broker, comma-separated.
    pub fn bootstrap_servers(&self) -> String {
        let addresses = self.doors.iter();
        let addresses: Vec<String> = addresses
            .map(|door| format!("127.0.0.1:{}", door.port()))
            .collect();
        addresses.join(",")
    }

    /// Ends all connections and closes each new one, until healed.
    pub fn cut(&self) {
        self.faults.set_passage(Passage::Cut);
        self.end_connections();
    }

    /// Lets nothing pass any more, without a word to either side; connections are still accepted. They end when healed.
    pub fn half_open(&self) {
        self.faults.set_passage(Passage::Silent);
    }

    /// Holds back every request and every response for so long.
    pub fn delay(&self, by: Duration) {
        self.faults.set_delay(by);
    }

    /// Carries no more than so many bytes a second in each direction, over all connections.
    pub fn throttle(&self, bytes_per_second: u64) {
        self.faults.set_rate(bytes_per_second);
    }

    /// Does this to the next response to this request, on whatever connection.
    pub fn strike(&self, api: Api, harm: Harm) {
        self.faults.strike(api, harm);
    }

    /// How many responses were struck so far.
    pub fn struck(&self) -> u64 {
        self.faults.struck()
    }

    /// Ends what was done with [`Self::cut`], [`Self::half_open`], [`Self::delay`] and [`Self::throttle`].
    pub fn heal(&self) {
        if self.faults.passage() == Passage::Silent {
            // what waits on them must not arrive now, as if nothing had been
            self.end_connections();
        }
        self.faults.heal();
    }

    fn end_connections(&self) {
        for door in &self.doors {
            door.cut();
        }
    }
}

impl Drop for KafkaProxy {
    fn drop(&mut self) {
        // threads that hold something back must see that there is nobody to give it to
        self.cut();
    }
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read as _, Write as _};
    use std::net::{Ipv4Addr, TcpListener, TcpStream};
    use std::thread;
    use std::time::Instant;

    use super::super::frame::Frame;
    use super::*;

    /// Bytes of every answer, behind its correlation id.
    const ANSWER: usize = 1_000;

    /// A broker that answers every request with zeroes, on as many connections as come.
    fn broker() -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
        let port = listener.local_addr().expect("an address").port();
        thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                thread::spawn(move || {
                    while let Ok(Some(request)) = Frame::read(&mut stream) {
                        let correlation = &request.0[8..12];
                        let length = (ANSWER + 4) as u32;
                        let answer = [&length.to_be_bytes(), correlation, &[0; ANSWER]].concat();
                        if stream.write_all(&answer).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        port
    }

    struct Client(TcpStream);

    impl Client {
        fn of(proxy: &KafkaProxy) -> Self {
            let stream = TcpStream::connect(proxy.bootstrap_servers()).expect("connected");
            stream
                .set_read_timeout(Some(Duration::from_secs(20)))
                .expect("a timeout");
            Self(stream)
        }

        fn send(&mut self, api: Api) {
            let key = api.key().to_be_bytes();
            let rest = [0, 12, 0, 0, 0, 7, 0xff, 0xff];
            let frame = [&10_u32.to_be_bytes()[..], &key, &rest].concat();
            self.0.write_all(&frame).expect("sent");
        }

        /// The answer, without its correlation id; nothing where the connection ends instead.
        fn ask(&mut self, api: Api) -> Option<Vec<u8>> {
            self.send(api);
            let mut frame = Frame::read(&mut self.0).ok()??;
            Some(frame.answer().to_vec())
        }
    }

    fn proxy() -> KafkaProxy {
        KafkaProxy::before_ports(std::iter::once(broker())).expect("a proxy")
    }

    #[test]
    fn one_response_is_lost_or_damaged_and_the_others_are_not() {
        let proxy = proxy();
        let whole = Some(vec![0; ANSWER]);
        proxy.strike(Api::PRODUCE, Harm::Corrupt);
        proxy.strike(Api::PRODUCE, Harm::Lose);
        let mut client = Client::of(&proxy);
        assert_eq!(client.ask(Api::FETCH), whole);
        let damaged = client.ask(Api::PRODUCE).expect("an answer");
        let flipped: u32 = damaged.iter().map(|byte| byte.count_ones()).sum();
        assert_eq!((damaged.len(), flipped), (ANSWER, 1));
        assert_eq!(client.ask(Api::FETCH), whole);
        assert_eq!(client.ask(Api::PRODUCE), None);
        assert_eq!(proxy.struck(), 2);
        assert_eq!(Client::of(&proxy).ask(Api::PRODUCE), whole);
    }

    #[test]
    fn a_cut_link_takes_nobody_until_it_is_healed() {
        let proxy = proxy();
        let mut client = Client::of(&proxy);
        assert!(client.ask(Api::FETCH).is_some());
        proxy.cut();
        assert!(matches!(client.0.read(&mut [0]), Ok(0) | Err(_)));
        let mut refused = Client::of(&proxy);
        assert!(matches!(refused.0.read(&mut [0]), Ok(0) | Err(_)));
        proxy.heal();
        assert!(Client::of(&proxy).ask(Api::FETCH).is_some());
    }

    #[test]
    fn a_silent_link_takes_requests_answers_nothing_and_ends_when_it_is_healed() {
        let proxy = proxy();
        proxy.half_open();
        let mut client = Client::of(&proxy);
        client.send(Api::FETCH);
        let soon = Some(Duration::from_millis(200));
        client.0.set_read_timeout(soon).expect("a timeout");
        let silent = client.0.read(&mut [0]).expect_err("nothing comes");
        assert!(matches!(
            silent.kind(),
            ErrorKind::WouldBlock | ErrorKind::TimedOut
        ));
        client.0.set_read_timeout(None).expect("no timeout");
        proxy.heal();
        assert!(matches!(client.0.read(&mut [0]), Ok(0) | Err(_)));
        assert!(Client::of(&proxy).ask(Api::FETCH).is_some());
    }

    #[test]
    fn a_long_link_takes_its_time_and_a_narrow_one_too() {
        let proxy = proxy();
        let mut client = Client::of(&proxy);
        let took = |client: &mut Client| {
            let started = Instant::now();
            assert!(client.ask(Api::FETCH).is_some());
            started.elapsed()
        };
        proxy.delay(Duration::from_millis(60));
        assert!(took(&mut client) >= Duration::from_millis(120));
        proxy.heal();
        // the answer alone takes a fifth of a second
        proxy.throttle(5_000);
        assert!(took(&mut client) >= Duration::from_millis(200));
    }
}
