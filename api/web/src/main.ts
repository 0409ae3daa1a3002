import { createApp } from "vue";
import App from "./App.vue";
import { start } from "./floor";
import { startLang } from "./i18n";
import "./styles.css";

startLang();
createApp(App).mount("#app");
void start();
