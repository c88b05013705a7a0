//! Recognisers and voices on other machines, played by the reference library of Wyoming.

use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use hearken::asr::{Hypothesis, Recognizer};
use hearken::remote::{RemoteRecogniser, RemoteVoice};
use hearken::tts::Synthesizer;

use crate::doors::{Server, python, recording, steps};

struct Peer(Child, String);

impl Peer {
    fn start(manner: &str) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/doors/wyoming_server.py");
        let mut child =
            Command::new(python()).arg(script).arg(manner).stdout(Stdio::piped()).spawn().unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
        Self(child, format!("tcp://127.0.0.1:{}", port.trim()))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn engines_elsewhere_stand_in_for_ours() {
    let peer = Peer::start("well");
    let server = Server::start(&format!(
        "[asr]\nmodel = \"{0}\"\n[tts.voices]\nen = \"{0}/beep\"\n",
        peer.1
    ));
    let command = recording("4.flac", server.folder.path());
    let steps = steps("remote_client.py", &[&format!("tcp://{}", server.wyoming), &command]);
    // The peer hears the same whatever is said.
    assert_eq!(steps["transcribe"]["text"], "Turn on the kitchen light.");
    let sound = &steps["speak"];
    assert_eq!(sound["rate"], 24_000);
    let seconds = sound["samples"].as_f64().unwrap() / 24_000.0;
    assert!((0.95..1.05).contains(&seconds), "{sound}");
    assert!((7_000..10_500).contains(&sound["loud"].as_u64().unwrap()), "{sound}");
}

#[test]
fn engines_elsewhere_that_fail_say_so() {
    let unreachable = RemoteRecogniser::open("tcp://127.0.0.1:1", "auto").unwrap_err().to_string();
    assert!(unreachable.contains("cannot reach 127.0.0.1:1"), "{unreachable}");
    let empty = Peer::start("empty");
    let lacks = RemoteRecogniser::open(&empty.1, "auto").unwrap_err().to_string();
    assert!(lacks.contains("no recogniser"), "{lacks}");
    let broken = Peer::start("broken");
    let mut recogniser = RemoteRecogniser::open(&broken.1, "en").unwrap();
    let failed = recogniser.transcribe(&[0.0; 32_000], &|| false, &mut |_| {}).unwrap_err();
    assert!(failed.to_string().contains("out of order"), "{failed}");
    let lacks = RemoteVoice::open(&format!("{}/nobody", broken.1)).unwrap_err().to_string();
    assert!(lacks.contains("no voice \"nobody\""), "{lacks}");
    let mut voice = RemoteVoice::open(&format!("{}/beep", broken.1)).unwrap();
    let failed = voice.speak("Hello.", &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert!(failed.to_string().contains("out of order"), "{failed}");
    // Who says nothing is left as soon as nobody waits any more.
    let silent = Peer::start("silent");
    let mut recogniser = RemoteRecogniser::open(&silent.1, "en").unwrap();
    let began = std::time::Instant::now();
    let stop = || began.elapsed().as_millis() > 300;
    let mut finals = 0;
    let count = &mut |h| finals += usize::from(matches!(h, Hypothesis::Final(_)));
    recogniser.transcribe(&[0.0; 32_000], &stop, count).unwrap();
    assert!(finals == 0 && began.elapsed().as_millis() < 2000);
}
