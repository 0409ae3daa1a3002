/** The pages, who may open each, and where it stands in the navigation. */

import {
  Bell,
  Calendar,
  ChatDotRound,
  Cpu,
  Document,
  Connection,
  DataAnalysis,
  DataLine,
  Grid,
  Guide,
  Headset,
  Key,
  Iphone,
  List,
  Lock,
  Memo,
  Microphone,
  Monitor,
  Notebook,
  OfficeBuilding,
  Operation,
  Phone,
  PhoneFilled,
  Promotion,
  Search,
  Share,
  Tickets,
  TrendCharts,
  User,
  UserFilled,
} from "@element-plus/icons-vue";
import type { Component } from "vue";
import type { RouteRecordRaw } from "vue-router";
import type { Kind } from "./kit/schema";
import { holds, type Me } from "./session";

export type Group = "desk" | "floor" | "records" | "setup" | "system";

export interface PageOf {
  /** The route's name, and the key of its words: `page.NAME`. */
  name: string;
  path: string;
  group: Group;
  icon: Component;
  /** One of these scopes opens it. */
  scope?: string;
  /** For agents at their desks. */
  agent?: boolean;
  /** For agents who supervise, whose sessions open the floor without scopes. */
  supervisor?: boolean;
  /** Of the operator's own tenant alone. */
  operator?: boolean;
  /** Of a page that shows one kind of the configuration. */
  kind?: Kind;
  page: () => Promise<unknown>;
}

const config = (name: string, path: string, kind: Kind, icon: Component): PageOf => ({
  name,
  path,
  group: "setup",
  icon,
  scope: "config:read",
  kind,
  page: () => import("./pages/ConfigPage.vue"),
});

export const PAGES: PageOf[] = [
  { name: "desk", path: "/desk", group: "desk", icon: Headset, agent: true, page: () => import("./pages/DeskPage.vue") },
  { name: "my-callbacks", path: "/my-callbacks", group: "desk", icon: Phone, agent: true, page: () => import("./pages/MyCallbacksPage.vue") },
  { name: "my-chats", path: "/my-chats", group: "desk", icon: ChatDotRound, agent: true, page: () => import("./pages/ChatsPage.vue") },
  { name: "my-figures", path: "/my-figures", group: "desk", icon: TrendCharts, agent: true, page: () => import("./pages/MyFiguresPage.vue") },
  { name: "live", path: "/", group: "floor", icon: Monitor, scope: "calls:read", page: () => import("./pages/LivePage.vue") },
  { name: "wall", path: "/wall", group: "floor", icon: DataAnalysis, scope: "reports:read", supervisor: true, page: () => import("./pages/WallPage.vue") },
  { name: "floor", path: "/floor", group: "floor", icon: Headset, scope: "agents:read", supervisor: true, page: () => import("./pages/FloorPage.vue") },
  { name: "chats", path: "/chats", group: "floor", icon: ChatDotRound, scope: "chats:read", page: () => import("./pages/ChatsPage.vue") },
  { name: "callbacks", path: "/callbacks", group: "floor", icon: Phone, scope: "callbacks:read", page: () => import("./pages/CallbacksPage.vue") },
  { name: "campaigns", path: "/campaigns", group: "floor", icon: Promotion, scope: "campaigns:read", page: () => import("./pages/CampaignsPage.vue") },
  { name: "calls", path: "/calls", group: "records", icon: List, scope: "cdrs:read", page: () => import("./pages/CdrsPage.vue") },
  { name: "recordings", path: "/recordings", group: "records", icon: Microphone, scope: "recordings:read", page: () => import("./pages/RecordingsPage.vue") },
  { name: "reports", path: "/reports", group: "records", icon: TrendCharts, scope: "reports:read", page: () => import("./pages/ReportsPage.vue") },
  { name: "details", path: "/details", group: "records", icon: Document, scope: "reports:read", page: () => import("./pages/DetailsPage.vue") },
  config("agents", "/agents", "agents", User),
  config("queues", "/queues", "queues", Tickets),
  config("skill-groups", "/skill-groups", "skill-groups", Operation),
  config("accounts", "/accounts", "accounts", PhoneFilled),
  config("numbers", "/numbers", "numbers", Guide),
  config("number-groups", "/number-groups", "number-groups", Notebook),
  { ...config("trunks", "/trunks", "trunks", Connection), page: () => import("./pages/TrunksPage.vue") },
  config("ways-out", "/ways-out", "ways-out", Share),
  config("calendars", "/calendars", "calendars", Calendar),
  { name: "flows", path: "/flows", group: "setup", icon: DataLine, scope: "flows:read", page: () => import("./pages/FlowsPage.vue") },
  { name: "tables", path: "/tables", group: "setup", icon: Grid, scope: "tables:read", page: () => import("./pages/TablesPage.vue") },
  { name: "route", path: "/route", group: "setup", icon: Search, scope: "calls:read", page: () => import("./pages/RoutePage.vue") },
  { ...config("tenants", "/tenants", "tenants", OfficeBuilding), group: "system", operator: true },
  { name: "phones", path: "/phones", group: "system", icon: Iphone, scope: "accounts:read", page: () => import("./pages/PhonesPage.vue") },
  { name: "bans", path: "/bans", group: "system", icon: Lock, scope: "bans:read", page: () => import("./pages/BansPage.vue") },
  { name: "switch", path: "/switch", group: "system", icon: Cpu, scope: "config:read", page: () => import("./pages/SwitchPage.vue") },
  { name: "webhooks", path: "/webhooks", group: "system", icon: Bell, scope: "webhooks:read", page: () => import("./pages/WebhooksPage.vue") },
  { name: "keys", path: "/keys", group: "system", icon: Key, scope: "keys:read", page: () => import("./pages/KeysPage.vue") },
  { name: "people", path: "/people", group: "system", icon: UserFilled, scope: "users:read", page: () => import("./pages/PeoplePage.vue") },
  { name: "audit", path: "/audit", group: "system", icon: Memo, scope: "audit:read", page: () => import("./pages/AuditPage.vue") },
];

export function opens(page: PageOf, who: Me): boolean {
  if (who.enrolling) {
    return false;
  }
  if (who.kind === "agent") {
    return page.agent === true || (page.supervisor === true && who.supervisor);
  }
  // A key does not say whose it is: the switch does, when it asks.
  const foreign = page.operator === true && who.tenant !== "" && who.tenant !== "default";
  return !foreign && page.scope !== undefined && holds(who.scopes, page.scope);
}

/** What he sees in the navigation, by group. */
export function navigation(who: Me): { group: Group; pages: PageOf[] }[] {
  const groups: Group[] = ["desk", "floor", "records", "setup", "system"];
  return groups
    .map((group) => ({ group, pages: PAGES.filter((page) => page.group === group && opens(page, who)) }))
    .filter((one) => one.pages.length > 0);
}

/** Where he begins. */
export const home = (who: Me): string => (who.enrolling ? "/account" : (PAGES.find((page) => opens(page, who))?.path ?? "/account"));

export const routes = (): RouteRecordRaw[] =>
  PAGES.map((page) => ({ path: page.path, name: page.name, component: page.page as never, meta: { page: page.name, ...(page.kind ? { kind: page.kind } : {}) } }));
