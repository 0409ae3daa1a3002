/** The bar in every state of a call: an agent of his own with the browser's phone takes a caller, from the first ring to the note. */

import { calls } from "./caller.mjs";

const PORT = 5096;
const STATE_MS = 20_000;

/** Alt and a letter, as an agent presses it: the buttons are named in every language, the keys in none. */
const press = (page, letter) => page.keyboard.press(`Alt+Key${letter}`);

const is = (page, what) => page.waitForSelector(what, { timeout: STATE_MS });

/** `shoot(name)` makes a picture; `page` has the bar of an agent who is signed in. */
export async function states(page, shoot) {
  await is(page, ".line-registered");
  if (!(await page.$("strong.is-ready"))) {
    await press(page, "R");
    await is(page, "strong.is-ready");
  }
  await shoot("bar-ready");
  await press(page, "D");
  await is(page, ".sheet");
  await shoot("bar-call-out");
  await page.keyboard.press("Escape");
  await page.click(".bar-tools .button >> nth=0");
  await page.click(".check > .button");
  await page.click(".check-steps .button.next", { timeout: STATE_MS });
  await is(page, "#check-report");
  await shoot("bar-check");
  await page.keyboard.press("Escape");
  const hangsUp = await calls({ to: "508", from: "+493012345678", display: "Ada Lovelace", port: PORT });
  try {
    await is(page, ".call-two");
    await shoot("bar-ringing");
    await press(page, "A");
    await is(page, ".seat-talking");
    await is(page, ".grade-good, .grade-fair, .grade-poor");
    await shoot("bar-talking");
    for (const [letter, name] of [["K", "keys"], ["T", "transfer"], ["C", "consult"]]) {
      await press(page, letter);
      await is(page, ".sheet");
      await page.waitForFunction(() => !document.querySelector(".targets > .center"));
      await shoot(`bar-${name}`);
      if (letter !== "C") {
        await page.keyboard.press("Escape");
      }
    }
    await page.locator(".targets .tab").last().click();
    await page.fill("#target-words", "+4930987654");
    await page.keyboard.press("Enter");
    await is(page, ".call-three .next:enabled");
    await shoot("bar-consulting");
    await page.locator(".call-three .button").nth(1).click();
    await is(page, ".call-parties .button");
    await shoot("bar-conference");
    await page.locator(".call-parties .button").last().click();
    await page.waitForSelector(".call-parties .button", { state: "detached", timeout: STATE_MS });
    await press(page, "H");
    await is(page, ".tool[aria-pressed=true]");
    await shoot("bar-held");
  } finally {
    await hangsUp();
  }
  await is(page, "strong.is-wrap_up");
  await shoot("bar-wrap-up");
  // for the next look
  await press(page, "R");
  await is(page, "strong.is-ready");
}

