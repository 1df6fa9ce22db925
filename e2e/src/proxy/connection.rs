//! One connection through a proxy: two threads for each direction, one that takes frames in and one that gives them out when
//! their time has come.

use std::collections::HashMap;
use std::io::Write as _;
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use super::address::Addresses;
use super::api::Api;
use super::faults::{Faults, Harm, PIECE, Passage, Way};
use super::frame::Frame;

/// Frames of one direction of one connection that may be on their way.
const WINDOW: usize = 64;

/// A frame, and when it may leave.
type Timed = (Instant, Frame);

/// Requests that wait for their answer, by correlation id.
type Asked = Mutex<HashMap<i32, (Api, i16)>>;

/// Starts moving frames between `near` and the broker at `to`; returns handles that end that.
pub(super) fn forward(
    near: &TcpStream,
    to: u16,
    addresses: &Arc<Addresses>,
    faults: &Arc<Faults>,
) -> std::io::Result<[TcpStream; 2]> {
    if faults.passage() == Passage::Cut {
        return Err(std::io::ErrorKind::ConnectionRefused.into());
    }
    near.set_nonblocking(false)?;
    let far = TcpStream::connect((Ipv4Addr::LOCALHOST, to))?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let asked = Arc::<Asked>::default();
    let (send, frames) = sync_channel(WINDOW);
    thread::spawn({
        let (near, faults, asked) = (near.try_clone()?, faults.clone(), asked.clone());
        move || take_requests(near, &send, &faults, &asked)
    });
    give_out_in_background(frames, far.try_clone()?, faults, Way::ToBroker);
    let (send, frames) = sync_channel(WINDOW);
    thread::spawn({
        let (far, faults, addresses) = (far.try_clone()?, faults.clone(), addresses.clone());
        move || take_responses(far, &send, &faults, &addresses, &asked)
    });
    give_out_in_background(frames, near.try_clone()?, faults, Way::ToClient);
    Ok([near.try_clone()?, far])
}

fn take_requests(mut from: TcpStream, send: &SyncSender<Timed>, faults: &Faults, asked: &Asked) {
    while let Ok(Some(frame)) = Frame::read(&mut from) {
        if let Some(header) = frame.request_header()
            && let Some(api) = Api::of(header.api_key)
        {
            asked
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(header.correlation, (api, header.api_version));
        }
        if send.send((Instant::now() + faults.delay(), frame)).is_err() {
            break;
        }
    }
    // nobody can write it any more, or it is no frame: let the sender notice
    let _ = from.shutdown(Shutdown::Read);
}

fn take_responses(
    mut from: TcpStream,
    send: &SyncSender<Timed>,
    faults: &Faults,
    addresses: &Addresses,
    asked: &Asked,
) {
    while let Ok(Some(mut frame)) = Frame::read(&mut from) {
        let request = frame.correlation().and_then(|correlation| {
            asked
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&correlation)
        });
        if let Some((api, version)) = request {
            addresses.rewrite(api, version, frame.answer());
            match faults.harm(api, frame.0.len()) {
                // what comes before it still arrives
                Some(Harm::Lose) => break,
                Some(Harm::Corrupt) => {
                    let answer = frame.answer();
                    let middle = answer.len() / 2;
                    if let Some(byte) = answer.get_mut(middle) {
                        *byte ^= 1;
                    }
                }
                None => {}
            }
        }
        if send.send((Instant::now() + faults.delay(), frame)).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
}

fn give_out_in_background(
    frames: Receiver<Timed>,
    mut into: TcpStream,
    faults: &Arc<Faults>,
    way: Way,
) {
    let faults = faults.clone();
    thread::spawn(move || {
        while let Ok((due, frame)) = frames.recv() {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let whole = frame
                .0
                .chunks(PIECE)
                .all(|piece| faults.pass(way, piece.len()) && into.write_all(piece).is_ok());
            if !whole {
                break;
            }
        }
        // the end of the stream arrives behind its last byte
        let _ = into.shutdown(match way {
            Way::ToBroker => Shutdown::Write,
            Way::ToClient => Shutdown::Both,
        });
    });
}
