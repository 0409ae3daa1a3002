-- What every Chinese script understands. A script says more by intents of the same names: what it says is added.
return {
  yes = {
    keywords = { "是", "是的", "对", "好", "好的", "可以", "行", "没问题", "嗯", "愿意", "会来" },
    phrases = { "好的没有问题", "是的我会去" },
    keys = "1",
  },
  no = {
    keywords = { "不", "不是", "不对", "不行", "不可以", "不好", "没有", "来不了", "去不了", "不方便", "不愿意" },
    phrases = { "不用了谢谢", "我不需要" },
    keys = "2",
  },
  refuse = {
    keywords = { "别打了", "不要再打", "不感兴趣", "没兴趣", "没时间", "不想说", "不想听" },
    regex = { "(别|不要|不许)(再)?(给我)?打(电话|来)?", "骚扰|投诉" },
    phrases = { "请不要再给我打电话" },
    keys = "9",
  },
  ["repeat"] = {
    keywords = { "再说一遍", "再说一次", "重复", "没听清", "没听见", "你说什么", "什么意思" },
    regex = { "(请|麻烦)?(你|您)?再(说|讲)(一)?(遍|次)" },
    phrases = { "麻烦您再说一遍好吗" },
    keys = "*",
  },
  interrupt = {
    keywords = { "等一下", "等等", "打断一下", "停一下", "先别说" },
    phrases = { "我可以打断你一下吗" },
  },
  person = {
    keywords = { "人工", "转人工", "客服", "真人", "找个人" },
    phrases = { "我要和真人说话" },
    keys = "0",
  },
}
