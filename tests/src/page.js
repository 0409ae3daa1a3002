// A browser's phone as an integrator would write it: JsSIP, one call at a time, and back in it after a reload.
'use strict';
const quiet = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
const media = { mediaConstraints: { audio: quiet, video: false }, pcConfig: { iceServers: [] } };
globalThis.seen = [];
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
    audio.srcObject = stream;
    sound.createMediaStreamSource(stream).connect(analyser);
    sound.resume();
    seen.push('track');
  });
  connection.addEventListener('connectionstatechange', () => seen.push('path ' + connection.connectionState));
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
  seen.push(originator + ' call');
  if (session.connection) listen(session.connection);
  session.on('peerconnection', ({ peerconnection }) => listen(peerconnection));
  session.on('sdp', ({ originator, sdp }) => seen.push(originator + ' sdp ' + (sdp.match(/m=audio.*/) || [''])[0]));
  session.on('confirmed', () => { keep(session); seen.push('up'); });
  session.on('ended', ({ cause }) => { sessionStorage.removeItem('call'); seen.push('ended ' + cause); });
  session.on('failed', ({ cause }) => { sessionStorage.removeItem('call'); seen.push('failed ' + cause); });
  if (originator === 'remote') session.answer(media);
});
phone.on('registered', () => {
  seen.push('registered');
  const lost = JSON.parse(sessionStorage.getItem('call') || 'null');
  if (lost && !globalThis.call) {
    phone.call(lost.with, { ...media, extraHeaders: ['Replaces: ' + lost.replaces] });
  }
});
globalThis.dial = (number) => { phone.call(`sip:${number}@localhost`, media); return 0; };
// The way a page answers to another network: its packets come from elsewhere, and both ends look for each other anew.
globalThis.restart = () => { call.renegotiate({ rtcOfferConstraints: { iceRestart: true } }, () => seen.push('restarted')); return 0; };
phone.start();
