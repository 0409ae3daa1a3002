import { createApp } from "vue";
import { i18n, startSpeaking } from "./lang";
import { startTheme } from "./kit/theme";
import { useParts } from "./kit/ui";
import { router } from "./router";
import { resume } from "./session";
import App from "./shell/App.vue";
import "element-plus/es/components/base/style/css.mjs";
import "./tokens.css";
import "./states.css";
import "./base.css";

startTheme();
await startSpeaking();
await resume();
const app = createApp(App).use(i18n).use(router);
useParts(app);
app.mount("#app");
