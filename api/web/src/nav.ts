/** The pages, who may open each, and where it stands in the navigation. */

import {
  Bell,
  Connection,
  DataAnalysis,
  DataLine,
  Guide,
  Headset,
  Key,
  List,
  Microphone,
  Monitor,
  Notebook,
  Operation,
  Phone,
  PhoneFilled,
  Search,
  Share,
  Tickets,
  TrendCharts,
  User,
  UserFilled,
  Warning,
} from "@element-plus/icons-vue";
import type { Component } from "vue";
import type { RouteRecordRaw } from "vue-router";
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
  page: () => Promise<unknown>;
}

export const PAGES: PageOf[] = [
  { name: "live", path: "/", group: "floor", icon: Monitor, scope: "calls:read", page: () => import("./pages/LivePage.vue") },
];

void [Bell, Connection, DataAnalysis, DataLine, Guide, Headset, Key, List, Microphone, Notebook, Operation, Phone, PhoneFilled, Search, Share, Tickets, TrendCharts, User, UserFilled, Warning];

export function opens(page: PageOf, who: Me): boolean {
  if (who.enrolling) {
    return false;
  }
  if (who.kind === "agent") {
    return page.agent === true || (page.supervisor === true && who.supervisor);
  }
  return page.scope !== undefined && holds(who.scopes, page.scope);
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
  PAGES.map((page) => ({ path: page.path, name: page.name, component: page.page as never, meta: { page: page.name } }));
