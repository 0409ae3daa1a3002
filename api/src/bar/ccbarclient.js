/*
 * The agent bar for a page of another origin.
 *
 * It puts the bar into a frame named "ccbarclient" at the bottom right, and passes what the bar tells on to
 * window.listeners.eventpost. The page speaks to the bar by window.frames["ccbarclient"].postMessage, with
 * {name: "eventpost", param: ["AgentState_Ready", ...]} or {name: "callout", param: ["13800000000", "audio"]}.
 */
(function () {
  "use strict";
  var NAME = "ccbarclient";
  var told = /*told*/{};
  var script = document.currentScript;

  // Where we are: as the page says, where this script came from, or where it was asked for.
  function place() {
    if (typeof $aicc_ContextPath === "string") {
      return new URL($aicc_ContextPath, location.href);
    }
    if (script && script.src) {
      return new URL("/service-cloud/", script.src);
    }
    return new URL("//" + told.host + "/service-cloud/", location.href);
  }

  var base = place();
  if (typeof $aicc_ContextPath === "undefined") {
    window.$aicc_ContextPath = base.href;
  }
  window.listeners = window.listeners || {};

  // A page that runs this twice has one bar, the newer.
  if (window.ccbarclientRemove) {
    window.ccbarclientRemove();
  }

  var query = new URLSearchParams({ embedded: location.origin, tenant: told.tenant, account: told.account || "" });
  if (told.signed) {
    query.set("signed", "1");
  }
  var lang = document.documentElement.lang;
  if (lang) {
    query.set("lang", lang);
  }
  var frame = document.createElement("iframe");
  frame.name = NAME;
  frame.id = NAME;
  frame.title = "Cordboard";
  frame.allow = "microphone; autoplay; speaker-selection; clipboard-write";
  frame.src = base.origin + "/bar.html?" + query.toString();
  var sizes = { folded: [72, 72], open: [376, 620] };

  function size(name) {
    var wanted = sizes[name] || sizes.folded;
    frame.style.cssText =
      "position:fixed;right:12px;bottom:12px;border:0;margin:0;padding:0;z-index:2147483000;color-scheme:normal;" +
      "background:transparent;max-width:calc(100vw - 24px);max-height:calc(100vh - 24px);width:" +
      wanted[0] + "px;height:" + wanted[1] + "px";
  }

  function heard(message) {
    if (message.source !== frame.contentWindow || message.origin !== base.origin) {
      return;
    }
    var data = message.data;
    var listener = data && data.name === "eventpost" && window.listeners.eventpost;
    if (typeof listener === "function") {
      listener({ event: data.event, message: data.message, retcode: data.retcode });
    }
  }

  // Keys that the bar is to be told of while this page has the focus: none, unless its agent has said so there.
  var keys = [];
  var port = null;

  // What is typed into is left alone, and so is what a program of the page has pressed.
  function typed(element) {
    return !!element && (element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName || ""));
  }

  function pressed(event) {
    var one = event.altKey && !event.ctrlKey && !event.metaKey && !event.repeat && event.isTrusted;
    if (!port || !one || keys.indexOf(event.code) < 0 || typed(event.composedPath()[0])) {
      return;
    }
    event.preventDefault();
    port.postMessage({ key: event.code });
  }

  // What is between the bar and this script alone goes another way: the page's own listeners hear events and nothing else.
  function join() {
    var pair = new MessageChannel();
    port = pair.port1;
    keys = [];
    pair.port1.onmessage = function (message) {
      var said = message.data || {};
      if (Array.isArray(said.keys)) {
        keys = said.keys;
      } else if (said.focus) {
        frame.focus();
      } else {
        size(said.size);
      }
    };
    frame.contentWindow.postMessage({ name: "cordboard.port" }, base.origin, [pair.port2]);
  }

  function add() {
    size("folded");
    frame.addEventListener("load", join);
    window.addEventListener("message", heard);
    window.addEventListener("keydown", pressed);
    (document.body || document.documentElement).appendChild(frame);
  }

  window.ccbarclientRemove = function () {
    window.removeEventListener("message", heard);
    window.removeEventListener("keydown", pressed);
    document.removeEventListener("DOMContentLoaded", add);
    frame.remove();
  };
  if (document.body) {
    add();
  } else {
    document.addEventListener("DOMContentLoaded", add);
  }
})();
