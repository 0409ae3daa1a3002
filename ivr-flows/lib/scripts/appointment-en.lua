-- Asks whether an appointment of tomorrow stands. A bot script: docs/flows.md, "Bot scripts".
-- Call data it reads:  hour (when it is, 0 to 23)
-- Call data it writes: note (what the caller wants to add), and the tags "coming", "cancelled", "move", "refused", "asked cost"
-- It needs the queue `support`.
return {
  language = "en",
  start = "greet",

  intents = {
    -- Beside the standard ones of lib/script/standard-en.lua; what has their name is added to them.
    yes = { keywords = { "i will come", "i will be there" } },
    later = {
      keywords = { "later", "not now", "busy", "driving" },
      regex = { "(call|ring) (me )?(back|later)" },
      phrases = { "could you call me another time" },
      keys = "3",
    },
  },

  nodes = {
    greet = {
      say = {
        { "en.appointment.greet", { number = "${hour}" }, "en.appointment.o-clock", "en.appointment.come" },
        { "en.appointment.again", { number = "${hour}" }, "en.appointment.o-clock", "en.appointment.come" },
      },
      branches = {
        yes = { go = "anything_else", tag = "coming" },
        no = "move",
        refuse = "refused",
        later = "later",
      },
    },
    move = {
      say = "en.appointment.move",
      branches = {
        yes = "person",
        no = { go = "cancelled", tag = "cancelled" },
        silence = { go = "cancelled", tag = "cancelled" },
        not_understood = "person",
      },
    },
    anything_else = {
      say = "en.appointment.anything-else",
      save = "note",
      branches = { any = "thanks", silence = "thanks" },
    },
    cost_more = {
      say = "en.appointment.cost-more",
      branches = { yes = "person", no = "return" },
    },
    ["return"] = { action = "back" },
    thanks = { say = "en.appointment.thanks", action = "finish" },
    cancelled = { say = "en.appointment.cancelled", action = "finish" },
    later = { say = "en.appointment.later", action = "finish", tag = "later" },
    refused = { say = "en.appointment.refused", action = "hang_up", tag = "refused", interrupt = false },
    unheard = { say = "en.appointment.unheard", action = "hang_up", tag = "unheard" },
    person = { say = "en.please-wait", action = "hand_over", queue = "support", tag = "person" },
  },

  -- What may be asked at any time. Then the talk goes on where it was.
  knowledge = {
    where = {
      keywords = { "where", "address", "how do i get there", "parking" },
      say = { "en.appointment.where", "en.appointment.where-again" },
    },
    who = {
      phrases = { "who are you", "who is calling" },
      keywords = { "a robot", "a machine", "who is this" },
      say = "en.appointment.who",
      wait = true,
    },
    cost = {
      keywords = { "price", "pay", "insurance" },
      regex = { "(what|how much).* cost" },
      say = "en.appointment.cost",
      go = "cost_more",
      tag = "asked cost",
    },
    person = { intents = { "person" }, go = "person" },
  },

  -- What holds at every node that has no branch of its own for it.
  rules = {
    silence = { { say = "en.appointment.there" }, { say = "en.appointment.still-there" }, { go = "unheard" } },
    not_understood = { { say = "en.appointment.slower" }, { go = "person" } },
    ["repeat"] = { most = 2, go = "person" },
    interrupt = { say = "en.appointment.listening" },
    all_silence = { most = 5, go = "unheard" },
    all_not_understood = { most = 4, go = "person" },
    same_question = { most = 2, go = "person" },
    questions = { most = 2, go = "person" },
    turns = { most = 30, go = "person" },
  },
}
