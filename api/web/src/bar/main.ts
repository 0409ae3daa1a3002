import "../tokens.css";
import "../states.css";
import "./bar.css";
import { createApp } from "vue";
import BarApp from "./BarApp.vue";
import { startDesk } from "./work";
import { Embed } from "./embed";
import { startWords } from "./words";

const query = new URLSearchParams(location.search);

/** The origin of the page that has the bar, as its script says; the browser shows the frame to listed origins alone. */
function parent_(): string | null {
  const named = query.get("embedded");
  return window.parent !== window && named ? new URL(named).origin : null;
}

// Who has the bar may speak before anything is drawn: it is listened to first.
const embed = new Embed(window, parent_());
const dark = matchMedia("(prefers-color-scheme: dark)");
/** As a person has chosen in the console, else as the machine says. */
const shade = (): void => {
  const chosen = localStorage.getItem("cordboard.theme");
  document.documentElement.classList.toggle("dark", chosen === "dark" || (chosen !== "light" && dark.matches));
};
dark.addEventListener("change", shade);
addEventListener("storage", shade);
shade();
document.documentElement.classList.toggle("embedded", embed.embedded);

void startWords(query.get("lang")).then(() => {
  startDesk(embed, query.get("tenant") ?? "default", query.get("account") ?? "", query.get("signed") === "1");
  createApp(BarApp).mount("#bar");
});
