-- What every English script understands. A script says more by intents of the same names: what it says is added.
return {
  yes = {
    keywords = { "yes", "yeah", "yep", "sure", "of course", "certainly", "right", "correct", "okay", "ok", "fine", "please do" },
    phrases = { "yes please", "that is right", "i will" },
    keys = "1",
  },
  no = {
    keywords = { "no", "nope", "not", "cannot", "cant", "wont", "dont", "wrong" },
    phrases = { "no thank you", "i do not think so" },
    keys = "2",
  },
  refuse = {
    keywords = { "not interested", "do not call", "dont call", "stop calling", "leave me alone", "no time", "not talking to a machine" },
    regex = { "take me off .*list", "(never|dont|do not) (call|ring|phone) (me )?again" },
    phrases = { "i do not want to talk to you" },
    keys = "9",
  },
  ["repeat"] = {
    keywords = { "repeat", "again", "pardon", "say that again", "what did you say", "come again" },
    regex = { "(did not|didnt|cannot|cant) (hear|catch|understand) (you|that)" },
    phrases = { "could you say that again please" },
    keys = "*",
  },
  interrupt = {
    keywords = { "wait", "hold on", "stop", "one moment", "just a moment", "let me interrupt" },
    phrases = { "may i interrupt you" },
  },
  person = {
    keywords = { "agent", "operator", "person", "human", "somebody real", "speak to somebody", "representative" },
    phrases = { "i want to speak to a person" },
    keys = "0",
  },
}
