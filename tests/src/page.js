// A browser's phone as an integrator would write it: JsSIP, one call at a time, back in it after a reload and in another network.
'use strict';
const quiet = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
const camera = CAMERA && { width: 320, height: 240, frameRate: 10 };
const media = { mediaConstraints: { audio: quiet, video: camera }, pcConfig: { iceServers: [] } };
globalThis.seen = [];
const saw = (what) => seen.push(`${Math.round(performance.now())} ${what}`);
globalThis.call = null;
globalThis.born = Date.now();
const sound = new AudioContext();
const analyser = sound.createAnalyser();
analyser.fftSize = 8192;
// Chromium decodes a remote track only where something plays it.
const audio = document.body.appendChild(document.createElement('audio'));
audio.autoplay = true;

// The loudest frequency that the other side sends, or 0.
globalThis.hears = () => {
  const bins = new Float32Array(analyser.frequencyBinCount);
  analyser.getFloatFrequencyData(bins);
  let best = 0;
  bins.forEach((level, at) => { if (level > bins[best]) best = at; });
  return bins[best] > -60 ? Math.round(best * sound.sampleRate / analyser.fftSize) : 0;
};

function listen(connection) {
  connection.addEventListener('track', ({ track }) => {
    const stream = new MediaStream([track]);
    if (track.kind === 'video') return show(connection, stream);
    audio.srcObject = stream;
    sound.createMediaStreamSource(stream).connect(analyser);
    sound.resume();
    saw('track');
  });
  connection.addEventListener('connectionstatechange', () => {
    saw('path ' + connection.connectionState);
    if (connection.connectionState === 'connected') follow(connection.getReceivers()[0].transport.iceTransport);
  });
  connection.addEventListener('iceconnectionstatechange', () => {
    saw('ice ' + connection.iceConnectionState);
    if (connection.iceConnectionState === 'disconnected') connectAnew();
  });
}

// Pictures of the other side that were decoded.
globalThis.frames = 0;
let counting = 0;
const view = document.body.appendChild(document.createElement('video'));
view.autoplay = view.muted = true;
function show(connection, stream) {
  view.srcObject = stream;
  saw('pictures');
  clearInterval(counting);
  globalThis.frames = 0;
  counting = setInterval(async () => {
    const reports = [...(await connection.getStats()).values()];
    const video = reports.find(({ type, kind }) => type === 'inbound-rtp' && kind === 'video');
    globalThis.frames = (video && video.framesDecoded) || 0;
  }, 200);
}

// What a reloaded page needs to take its own place (RFC 3891), as long as the call lasts.
function keep(session) {
  const { call_id, local_tag, remote_tag } = session._dialog.id;
  sessionStorage.setItem('call', JSON.stringify({
    with: session.remote_identity.uri.toString(),
    replaces: `${call_id};to-tag=${remote_tag};from-tag=${local_tag}`,
  }));
}

const phone = new JsSIP.UA({
  sockets: [new JsSIP.WebSocketInterface(PLACE)],
  uri: 'sip:1001@localhost', password: PASSWORD, register_expires: 120, session_timers: false,
});
phone.on('newRTCSession', ({ originator, session }) => {
  globalThis.call = session;
  saw(originator + ' call');
  if (session.connection) listen(session.connection);
  session.on('peerconnection', ({ peerconnection }) => listen(peerconnection));
  session.on('sdp', ({ originator, sdp }) => saw(originator + ' sdp ' + (sdp.match(/^m=.*/mg) || []).join(' ')));
  // The switch learns the others by the checks that come from them.
  session.on('icecandidate', ({ ready }) => { setTimeout(ready, 100); });
  session.on('peerconnection:setremotedescriptionfailed', (why) => saw('refused: ' + why));
  session.on('confirmed', () => { keep(session); saw('up'); });
  session.on('ended', ({ cause }) => { sessionStorage.removeItem('call'); saw('ended ' + cause); });
  session.on('failed', ({ cause }) => { sessionStorage.removeItem('call'); saw('failed ' + cause); });
  if (originator === 'remote') session.answer(media);
});
// The network is another, or the way to the switch is gone: a browser leaves a WebSocket as it is then, and JsSIP would wait.
// Once the phone is registered by a new one, both ends look for each other anew.
let moved = false, movedAt = -Infinity;
function connectAnew() {
  saw('moved');
  moved = true;
  movedAt = performance.now();
  phone.transport.disconnect();
  phone.transport.connect();
  // What began by a network that is dead would be waited for much longer.
  setTimeout(() => { if (moved && !phone.isConnected()) connectAnew(); }, 1_000);
}
addEventListener('online', connectAnew);
// Audio has gone to another network by itself: signalling is to follow.
function follow(ice) {
  const here = () => ice.getSelectedCandidatePair()?.local.address;
  let last = here();
  ice.onselectedcandidatepairchange = () => {
    if (last && last !== here() && performance.now() - movedAt > 10_000) connectAnew();
    last = here();
  };
}
// What is tried while a network comes up fails; JsSIP by itself would wait for two seconds.
phone.on('disconnected', () => { if (call) setTimeout(() => phone.transport.connect(), 200); });

phone.on('registered', () => {
  saw('registered');
  if (moved && call) restart();
  moved = false;
  const lost = JSON.parse(sessionStorage.getItem('call') || 'null');
  if (lost && !globalThis.call) {
    phone.call(lost.with, { ...media, extraHeaders: ['Replaces: ' + lost.replaces] });
  }
});
globalThis.hold = () => { call.hold({}, () => saw('held')); return 0; };
globalThis.resume = () => { call.unhold({}, () => saw('resumed')); return 0; };
// The camera is taken away and put back: its stream is refused, and taken anew.
globalThis.film = async (on) => {
  if (on) {
    const filmed = await navigator.mediaDevices.getUserMedia({ video: camera });
    call.connection.addTrack(filmed.getVideoTracks()[0], filmed);
  } else {
    call.connection.getTransceivers().find(({ receiver }) => receiver.track.kind === 'video').stop();
  }
  call.renegotiate({}, () => saw(on ? 'filmed' : 'dark'));
};
globalThis.dial = (number) => { phone.call(`sip:${number}@localhost`, media); return 0; };
// The way a page answers to another network: its packets come from elsewhere, and both ends look for each other anew.
globalThis.restart = () => { call.renegotiate({ rtcOfferConstraints: { iceRestart: true } }, () => saw('restarted')); return 0; };
phone.start();
