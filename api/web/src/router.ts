/** Addresses of pages. What may not be opened leads to where he begins. */

import { createRouter, createWebHistory } from "vue-router";
import { home, opens, PAGES, routes } from "./nav";
import { me } from "./session";

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    ...routes(),
    { path: "/account", name: "account", component: () => import("./pages/AccountPage.vue"), meta: { page: "account" } },
    { path: "/:rest(.*)*", name: "none", component: () => import("./pages/NonePage.vue"), meta: { page: "none" } },
  ],
});

router.beforeEach((to) => {
  const who = me.value;
  if (who === null) {
    return true; // the sign-in stands in the place of the page, and the address is kept for after it
  }
  const page = PAGES.find((one) => one.name === to.meta["page"] || one.name === to.meta["of"]);
  return page && !opens(page, who) ? home(who) : true;
});
