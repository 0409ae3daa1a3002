-- Asks whether an appointment of tomorrow stands. A bot script: docs/flows.md, "Bot scripts".
-- Call data it reads:  hour (when it is, 0 to 23)
-- Call data it writes: note (what the caller wants to add), and the tags "coming", "cancelled", "move", "refused", "asked cost"
-- It needs the queue `support`.
return {
  language = "zh",
  start = "greet",

  intents = {
    -- Beside the standard ones of lib/script/standard-zh.lua; what has their name is added to them.
    yes = { keywords = { "会去", "准时到" } },
    later = {
      keywords = { "晚点", "等会儿", "现在不方便", "开车", "在忙" },
      regex = { "(过|等|晚)(一)?(会|下|点)(儿)?再(打|说)" },
      phrases = { "能不能换个时间打给我" },
      keys = "3",
    },
  },

  nodes = {
    greet = {
      say = {
        { "zh.appointment.greet", { number = "${hour}" }, "zh.appointment.o-clock", "zh.appointment.come" },
        { "zh.appointment.again", { number = "${hour}" }, "zh.appointment.o-clock", "zh.appointment.come" },
      },
      branches = {
        yes = { go = "anything_else", tag = "coming" },
        no = "move",
        refuse = "refused",
        later = "later",
      },
    },
    move = {
      say = "zh.appointment.move",
      branches = {
        yes = "person",
        no = { go = "cancelled", tag = "cancelled" },
        silence = { go = "cancelled", tag = "cancelled" },
        not_understood = "person",
      },
    },
    anything_else = {
      say = "zh.appointment.anything-else",
      save = "note",
      branches = { any = "thanks", silence = "thanks" },
    },
    cost_more = {
      say = "zh.appointment.cost-more",
      branches = { yes = "person", no = "return" },
    },
    ["return"] = { action = "back" },
    thanks = { say = "zh.appointment.thanks", action = "finish" },
    cancelled = { say = "zh.appointment.cancelled", action = "finish" },
    later = { say = "zh.appointment.later", action = "finish", tag = "later" },
    refused = { say = "zh.appointment.refused", action = "hang_up", tag = "refused", interrupt = false },
    unheard = { say = "zh.appointment.unheard", action = "hang_up", tag = "unheard" },
    person = { say = "zh.please-wait", action = "hand_over", queue = "support", tag = "person" },
  },

  -- What may be asked at any time. Then the talk goes on where it was.
  knowledge = {
    where = {
      keywords = { "在哪", "地址", "怎么走", "停车" },
      say = { "zh.appointment.where", "zh.appointment.where-again" },
    },
    who = {
      phrases = { "你是谁", "您是哪位" },
      keywords = { "机器人", "哪里打来的" },
      say = "zh.appointment.who",
      wait = true,
    },
    cost = {
      keywords = { "价格", "费用", "医保" },
      regex = { "(多少|几块)钱|要花多少" },
      say = "zh.appointment.cost",
      go = "cost_more",
      tag = "asked cost",
    },
    person = { intents = { "person" }, go = "person" },
  },

  -- What holds at every node that has no branch of its own for it.
  rules = {
    silence = { { say = "zh.appointment.there" }, { say = "zh.appointment.still-there" }, { go = "unheard" } },
    not_understood = { { say = "zh.appointment.slower" }, { go = "person" } },
    ["repeat"] = { most = 2, go = "person" },
    interrupt = { say = "zh.appointment.listening" },
    all_silence = { most = 5, go = "unheard" },
    all_not_understood = { most = 4, go = "person" },
    same_question = { most = 2, go = "person" },
    questions = { most = 2, go = "person" },
    turns = { most = 30, go = "person" },
  },
}
