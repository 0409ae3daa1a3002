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

  // What is between the bar and this script alone goes another way: the page's own listeners hear events and nothing else.
  function join() {
    var pair = new MessageChannel();
    pair.port1.onmessage = function (message) {
      size(message.data && message.data.size);
    };
    frame.contentWindow.postMessage({ name: "cordboard.port" }, base.origin, [pair.port2]);
  }

  function add() {
    size("folded");
    frame.addEventListener("load", join);
    window.addEventListener("message", heard);
    (document.body || document.documentElement).appendChild(frame);
  }

  window.ccbarclientRemove = function () {
    window.removeEventListener("message", heard);
    document.removeEventListener("DOMContentLoaded", add);
    frame.remove();
  };
  if (document.body) {
    add();
  } else {
    document.addEventListener("DOMContentLoaded", add);
  }
})();
