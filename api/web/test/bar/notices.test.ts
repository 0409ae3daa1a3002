import { beforeEach, describe, expect, it } from "vitest";
import { Notifier, type Machine, type Notice } from "../../src/bar/notices";
import { speak } from "../../src/bar/words";
import { call } from "./desks";

interface Shown extends Notice {
  title: string;
  options: NotificationOptions;
  pressed: () => void;
  closed: boolean;
}

/** A browser that answers as it is told, and what it was asked. */
function machine(permission: NotificationPermission | "none", answer: NotificationPermission = "granted") {
  const seen = { shown: [] as Shown[], asked: 0, came: 0, hidden: true, chosen: null as string | null, permission };
  const is: Machine = {
    permission: () => seen.permission,
    request: async () => {
      seen.asked += 1;
      return (seen.permission = answer);
    },
    show: (title, options, pressed) => {
      const one: Shown = { title, options, pressed, closed: false, close: () => (one.closed = true) };
      seen.shown.push(one);
      return one;
    },
    hidden: () => seen.hidden,
    chosen: () => seen.chosen,
    choose: (what) => (seen.chosen = what),
    come: () => (seen.came += 1),
  };
  return { seen, is };
}

const rings = (more = {}) => call("ringing", more);
/** One who has said that he wants to be told. */
async function told() {
  const { seen, is } = machine("default");
  const notifier = new Notifier(is);
  await notifier.wish();
  return { seen, notifier };
}

describe("calls that come while the tab is hidden", () => {
  beforeEach(() => speak("en"));

  it("ask the browser when the agent presses, and at no other time", async () => {
    const { seen, is } = machine("default");
    const notifier = new Notifier(is);
    notifier.rings(rings());
    expect([notifier.state.value, seen.asked, seen.shown.length]).toEqual(["ask", 0, 0]);
    await notifier.wish();
    expect([notifier.state.value, seen.asked, seen.chosen]).toEqual(["on", 1, "on"]);
    await notifier.wish();
    expect(seen.asked).toBe(1);
  });

  it("are not shown by a browser that allows it of old, until the agent says so at this page", async () => {
    const { seen, is } = machine("granted");
    const notifier = new Notifier(is);
    notifier.rings(rings());
    expect([notifier.state.value, seen.shown.length]).toEqual(["ask", 0]);
    await notifier.wish();
    expect([notifier.state.value, seen.asked]).toEqual(["on", 0]);
    expect(new Notifier(is).state.value).toBe("on");
  });

  it("say who calls and from which queue, once, in the agent's language", async () => {
    const { seen, notifier } = await told();
    notifier.rings(rings());
    notifier.rings(rings());
    expect(seen.shown.map((one) => [one.title, one.options.body, one.options.tag])).toEqual([["Incoming call", "Ada 4930\nfrom queue sales", "c1"]]);
    await speak("fr");
    notifier.rings(rings({ call: "c2", queue: null, from: { user: "", display: "" } }));
    expect([seen.shown[1]?.title, seen.shown[1]?.options.body]).toEqual(["Appel entrant", "Numéro masqué"]);
    expect(seen.shown[0]?.closed).toBe(true);
  });

  it("go when nothing rings any more, and bring the page to the front when they are pressed", async () => {
    const { seen, notifier } = await told();
    notifier.rings(rings());
    notifier.rings(null);
    expect(seen.shown[0]?.closed).toBe(true);
    notifier.rings(rings());
    expect(seen.shown).toHaveLength(2);
    seen.shown[1]?.pressed();
    expect([seen.came, seen.shown[1]?.closed]).toEqual([1, true]);
    notifier.rings(rings({ call: "c2" }), "Sales desk");
    expect(seen.shown[2]?.options.body).toBe("Ada 4930\nfrom queue Sales desk");
    notifier.seen();
    expect(seen.shown[2]?.closed).toBe(true);
  });

  it("are nothing to who looks at the page, nor to who has dialled himself", async () => {
    const { seen, notifier } = await told();
    seen.hidden = false;
    notifier.rings(rings());
    seen.hidden = true;
    notifier.rings(rings());
    const own = rings({ call: "c2", leg: "l1" });
    notifier.rings(own);
    expect(seen.shown).toHaveLength(0);
  });

  it("are shown no longer when he says so, and that is kept", async () => {
    const { seen, notifier } = await told();
    notifier.rings(rings());
    notifier.decline();
    expect([notifier.state.value, seen.chosen, seen.shown[0]?.closed]).toEqual(["off", "off", true]);
    notifier.rings(rings({ call: "c2" }));
    expect(seen.shown).toHaveLength(1);
    await notifier.wish();
    expect(notifier.state.value).toBe("on");
  });

  it("know a browser that was told not to, one that was not answered, and one that cannot", async () => {
    const refused = new Notifier(machine("default", "denied").is);
    await refused.wish();
    expect(refused.state.value).toBe("refused");
    const closed = machine("default", "default");
    const asked = new Notifier(closed.is);
    await asked.wish();
    expect([asked.state.value, closed.seen.chosen]).toEqual(["ask", null]);
    expect(new Notifier(machine("none").is).state.value).toBe("unable");
    closed.seen.permission = "denied";
    asked.seen();
    expect(asked.state.value).toBe("refused");
  });

  it("leave the bar at work where a browser throws instead of showing them", async () => {
    const { seen, is } = machine("granted");
    seen.chosen = "on";
    const notifier = new Notifier({
      ...is,
      show: () => {
        throw new TypeError("Illegal constructor");
      },
    });
    expect(() => notifier.rings(rings())).not.toThrow();
    expect(() => notifier.rings(null)).not.toThrow();
  });
});
