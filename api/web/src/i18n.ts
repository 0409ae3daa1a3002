/** The words of the live floor and the ladder. English is the shape; the others must have every word. */

import { ref } from "vue";
import ar from "./lang/floor/ar.json";
import es from "./lang/floor/es.json";
import fr from "./lang/floor/fr.json";
import pt from "./lang/floor/pt.json";
import type { AgentStatus, CallStage } from "./model";

export type Lang = "en" | "zh" | "ar" | "es" | "pt" | "fr";

export interface Words {
  title: string;
  calls: string;
  queues: string;
  agents: string;
  events: string;
  waiting: string;
  longest: string;
  ready: string;
  signedIn: string;
  talking: string;
  offered: string;
  answered: string;
  abandoned: string;
  timedOut: string;
  serviceLevel: string;
  today: string;
  sinceStart: string;
  overdue: string;
  caller: string;
  dialled: string;
  stage: string;
  queue: string;
  agent: string;
  talk: string;
  total: string;
  status: string;
  since: string;
  doing: string;
  handled: string;
  handledHint: string;
  held: string;
  unheard: string;
  offeredTo: string;
  noDevice: string;
  route: string;
  data: string;
  callId: string;
  more: string;
  noCalls: string;
  noCallsHint: string;
  noQueues: string;
  noAgents: string;
  noEvents: string;
  nobodyWaits: string;
  live: string;
  connecting: string;
  offline: string;
  noLine: string;
  restarting: string;
  retryIn: string;
  retryNow: string;
  keyTitle: string;
  keyHint: string;
  keyLabel: string;
  keySend: string;
  keyWrong: string;
  keySlow: string;
  keyChange: string;
  keyKept: string;
  ladder: string;
  ladders: string;
  ladderFind: string;
  ladderFindHint: string;
  ladderNone: string;
  ladderEmpty: string;
  ladderCut: string;
  ladderLost: string;
  ladderPick: string;
  refused: string;
  again: string;
  capture: string;
  close: string;
  back: string;
  media: Record<string, string>;
  stages: Record<CallStage, string>;
  statuses: Record<AgentStatus, string>;
  transfers: Record<string, string>;
  causes: Record<string, string>;
  by: Record<string, string>;
  outcomes: Record<string, string>;
  lines: Record<string, string>;
  did: Record<string, string>;
}

const en: Words = {
  title: "Live floor",
  calls: "Calls",
  queues: "Skill queues",
  agents: "Agents",
  events: "Events",
  waiting: "Waiting",
  longest: "Longest wait",
  ready: "Ready",
  signedIn: "Signed in",
  talking: "Talking",
  offered: "Offered",
  answered: "Answered",
  abandoned: "Abandoned",
  timedOut: "Timed out",
  serviceLevel: "Service level",
  today: "Today, as in the reports",
  sinceStart: "Since the switch started",
  overdue: "break too long",
  caller: "Caller",
  dialled: "Dialled",
  stage: "Stage",
  queue: "Queue",
  agent: "Agent",
  talk: "Talk",
  total: "Total",
  status: "Status",
  since: "For",
  doing: "Call, or why",
  handled: "Taken",
  handledHint: "Calls taken since the switch started",
  held: "on hold",
  unheard: "no audio from one side",
  offeredTo: "rings at {agent}",
  noDevice: "no device",
  route: "Route",
  data: "Call data",
  callId: "Call id",
  more: "{n} more are not shown",
  noCalls: "No calls",
  noCallsHint: "A call appears here the moment it reaches the switch.",
  noQueues: "No skill queue is configured.",
  noAgents: "No agent is configured.",
  noEvents: "Events appear here as they happen.",
  nobodyWaits: "Nobody waits",
  live: "Live",
  connecting: "Connecting",
  offline: "Offline",
  noLine: "No connection to the switch. What you see is from {time}.",
  restarting: "The switch is stopping. What you see is from {time}.",
  retryIn: "Next try in {n} s",
  retryNow: "Try now",
  keyTitle: "API key",
  keyHint: "This page reads the switch with an API key of your tenant.",
  keyLabel: "Key",
  keySend: "Open the floor",
  keyWrong: "The switch does not know this key.",
  keySlow: "Too many wrong keys came from this address. Try again in {n} s.",
  keyChange: "Change key",
  keyKept: "It is kept for this tab only and forgotten when the tab closes.",
  ladder: "Ladder",
  ladders: "Ladders",
  ladderFind: "Show",
  ladderFindHint: "Call id or SIP Call-ID",
  ladderNone: "No ladder of this call is kept.",
  ladderEmpty: "No call has been seen yet.",
  ladderCut: "The beginning of this call is no longer kept.",
  ladderLost: "The switch did not answer.",
  ladderPick: "Choose a message to read it.",
  refused: "no call",
  again: "again",
  capture: "Capture (pcap)",
  close: "Close",
  back: "All ladders",
  media: {
    opened: "audio port {local}",
    open_failed: "no audio port: {why}",
    agreed: "audio agreed: {codec} to {remote}",
    heard: "first audio from {from}",
    silent: "no audio comes",
    digit: "key {digit} by RTP",
    play_done: "playback ended",
    closed: "audio ended: {received} packets received, {lost} lost, {sent} sent",
  },
  stages: {
    routing: "Routing",
    flow: "In flow",
    queued: "Queued",
    ringing: "Ringing",
    bridged: "Talking",
    transferring: "Transferring",
    ending: "Ending",
  },
  statuses: {
    signed_out: "Signed out",
    ready: "Ready",
    not_ready: "Not ready",
    rest: "Rest",
    ringing: "Ringing",
    talking: "Talking",
    hold: "On hold",
    wrap_up: "Wrap-up",
    away: "Away",
  },
  transfers: {
    open: "under way",
    done: "done",
    failed: "failed",
    cancelled: "taken back",
  },
  causes: {
    normal: "hung up",
    transferred: "transferred",
    cancelled: "gave up",
    busy: "busy",
    no_answer: "no answer",
    declined: "declined",
    not_found: "no such number",
    not_registered: "no registered device",
    unreachable: "unreachable",
    forbidden: "not allowed",
    incompatible: "no common codec",
    answered_elsewhere: "answered elsewhere",
    congestion: "congestion",
    protocol_error: "protocol error",
    media_timeout: "no audio",
    max_duration: "longest call length reached",
    flow_ended: "flow ended",
    flow_failed: "flow failed",
    queue_timeout: "waited too long",
    queue_full: "queue full",
    no_route: "no route",
    administrative: "ended by an operator",
    shutdown: "switch stopping",
    internal_error: "internal error",
    lost_by_restart: "lost by restart",
  },
  by: { caller: "by the caller", callee: "by the called side", switch: "by the switch", operator: "by an operator" },
  outcomes: {
    served: "answered",
    abandoned: "caller gave up",
    timeout: "waited too long",
    gone: "queue removed",
    moved: "moved to another queue",
    nobody_signed_in: "nobody signed in",
    busy: "sent on, queue busy",
    key: "left by a key",
    flow: "sent on by its flow",
    picked_up: "picked up",
    ended: "call ended",
  },
  lines: {
    given_up: "(not wanted)",
    put_down: "(put down)",
    not_taken: "(not taken)",
    lost: "(lost)",
  },
  did: {
    call_started: "{caller} calls {to}",
    call_routed: "{caller} goes to {to}",
    call_stage: "{caller}: {stage}",
    call_stage_agent: "{caller}: {stage}, agent {agent}",
    call_answered: "{caller} is answered",
    leg_started: "{caller}: leg with {party}",
    leg_answered: "{caller}: a party answered",
    leg_held: "{caller} on hold",
    leg_resumed: "{caller} off hold",
    audio_nothing: "{caller}: no audio from one side",
    audio_one_way: "{caller}: one side is heard no more",
    audio_back: "{caller}: the side that was not heard is heard",
    audio_late: "{caller}: {packets} packets late, up to {ms} ms",
    leg_ended: "{caller}: a leg ended, {cause}",
    transfer_blind: "{caller}: transfer to {to} {outcome} {cause}",
    transfer_attended: "{caller}: attended transfer to {to} {outcome} {cause}",
    transfer_taken: "{caller}: taken over by {to}",
    digit: "{caller} pressed {digit}",
    data_changed: "{caller}: {key} = {value}",
    data_removed: "{caller}: {key} removed",
    flow_started: "{caller} enters flow {flow}",
    flow_failed: "{caller}: flow {flow} failed: {error}",
    flow_log: "{caller}: {text}",
    queue_entered: "{caller} waits in {queue}, place {position}",
    queue_offered: "{caller} offered to agent {agent}: {why}",
    queue_left: "{caller} left {queue}: {outcome}",
    agent_status: "Agent {agent}: {status}, {why}",
    agent_overdue: "Agent {agent}: the break is longer than it may be",
    agent_chats: "Agent {agent} has {chats} of {most} chats",
    line_up: "Agent {agent}: the connection to the device is up",
    line_down: "Agent {agent}: the connection to the device is down {why}",
    registered: "{user} registered a device",
    unregistered: "{user} has one device less",
    recording_started: "{caller}: recording began",
    recording_ready: "{caller}: recording ready, {length}",
    call_ended: "{caller} ended: {cause}, {by}",
    chat_opened: "Chat {chat}: {customer} writes to {queue}",
    chat_accepted: "Chat {chat}: taken by agent {agent}",
    chat_other: "Chat {chat}: {what}",
    chat_closed: "Chat {chat} is over",
    table_changed: "Table {table}: row {key} changed",
    campaign_made: "Campaign {name} was made",
    campaign_changed: "Campaign {name} was changed",
    campaign_paused: "Campaign {name} is paused",
    campaign_resumed: "Campaign {name} goes on",
    campaign_over: "The time of campaign {name} is over",
    campaign_deleted: "Campaign {name} was deleted",
    number_pending: "Campaign {campaign}: {called} will be called again",
    number_calling: "Campaign {campaign} calls {called}",
    number_done: "Campaign {campaign}: {called} is done",
    trunk_changed: "Trunk {trunk} {gateway}: {state}",
    config_reloaded: "Configuration {version} is in use",
    alarm: "Alarm {code}: {text}",
    gap: "Events {from} to {to} are missing; the state was read anew",
    unknown: "{type}",
  },
};

const zh: Words = {
  title: "现场",
  calls: "呼叫",
  queues: "技能队列",
  agents: "座席",
  events: "事件",
  waiting: "排队",
  longest: "最长等待",
  ready: "示闲",
  signedIn: "签入",
  talking: "通话",
  offered: "呼入",
  answered: "接听",
  abandoned: "放弃",
  timedOut: "超时",
  serviceLevel: "服务水平",
  today: "今日，与报表一致",
  sinceStart: "交换机启动以来",
  overdue: "休息超时",
  caller: "主叫",
  dialled: "被叫",
  stage: "状态",
  queue: "队列",
  agent: "座席",
  talk: "通话",
  total: "总时长",
  status: "状态",
  since: "时长",
  doing: "通话方或原因",
  handled: "接听",
  handledHint: "交换机启动以来的接听次数",
  held: "保持中",
  unheard: "单通",
  offeredTo: "正振铃座席 {agent}",
  noDevice: "无话机注册",
  route: "路由",
  data: "随路数据",
  callId: "呼叫标识",
  more: "另有 {n} 条未显示",
  noCalls: "暂无呼叫",
  noCallsHint: "呼叫到达交换机后会立即显示在这里。",
  noQueues: "尚未配置技能队列。",
  noAgents: "尚未配置座席。",
  noEvents: "事件发生时会显示在这里。",
  nobodyWaits: "无人排队",
  live: "实时",
  connecting: "连接中",
  offline: "离线",
  noLine: "与交换机的连接已断开，当前显示的是 {time} 的状态。",
  restarting: "交换机正在停止，当前显示的是 {time} 的状态。",
  retryIn: "{n} 秒后重试",
  retryNow: "立即重试",
  keyTitle: "API 密钥",
  keyHint: "本页面使用所属租户的 API 密钥读取交换机状态。",
  keyLabel: "密钥",
  keySend: "进入现场",
  keyWrong: "交换机不认识此密钥。",
  keySlow: "此地址的错误密钥过多，请在 {n} 秒后重试。",
  keyChange: "更换密钥",
  keyKept: "密钥仅保存在当前标签页中，关闭后即清除。",
  ladder: "信令图",
  ladders: "信令图",
  ladderFind: "查看",
  ladderFindHint: "呼叫标识或 SIP Call-ID",
  ladderNone: "没有保存此呼叫的信令图。",
  ladderEmpty: "尚未出现呼叫。",
  ladderCut: "此呼叫的开头部分已不再保存。",
  ladderLost: "交换机没有应答。",
  ladderPick: "点击一条消息查看内容。",
  refused: "未成为呼叫",
  again: "重发",
  capture: "抓包文件 (pcap)",
  close: "关闭",
  back: "全部信令图",
  media: {
    opened: "媒体端口 {local}",
    open_failed: "没有媒体端口：{why}",
    agreed: "媒体已协商：{codec}，对端 {remote}",
    heard: "收到首个媒体包，来自 {from}",
    silent: "没有媒体流",
    digit: "RTP 按键 {digit}",
    play_done: "放音结束",
    closed: "媒体结束：收到 {received} 包，丢失 {lost}，发送 {sent}",
  },
  stages: {
    routing: "路由中",
    flow: "流程中",
    queued: "排队中",
    ringing: "振铃中",
    bridged: "通话中",
    transferring: "转接中",
    ending: "结束中",
  },
  statuses: {
    signed_out: "已签出",
    ready: "示闲",
    not_ready: "示忙",
    rest: "休息",
    ringing: "振铃",
    talking: "通话",
    hold: "保持",
    wrap_up: "整理态",
    away: "离线",
  },
  transfers: {
    open: "进行中",
    done: "完成",
    failed: "失败",
    cancelled: "已取消",
  },
  causes: {
    normal: "正常挂机",
    transferred: "已转接",
    cancelled: "主叫放弃",
    busy: "忙",
    no_answer: "无应答",
    declined: "拒接",
    not_found: "空号",
    not_registered: "无话机注册",
    unreachable: "不可达",
    forbidden: "无权限",
    incompatible: "无共同编解码",
    answered_elsewhere: "已在别处接听",
    congestion: "拥塞",
    protocol_error: "协议错误",
    media_timeout: "无媒体流",
    max_duration: "达到最长通话时间",
    flow_ended: "流程结束",
    flow_failed: "流程出错",
    queue_timeout: "排队超时",
    queue_full: "队列已满",
    no_route: "无路由",
    administrative: "操作员结束",
    shutdown: "交换机停止",
    internal_error: "内部错误",
    lost_by_restart: "重启中断",
  },
  by: { caller: "主叫侧", callee: "被叫侧", switch: "交换机", operator: "操作员" },
  outcomes: {
    served: "已接听",
    abandoned: "主叫放弃",
    timeout: "排队超时",
    gone: "队列已删除",
    moved: "转入其他队列",
    nobody_signed_in: "无人签入",
    busy: "队列忙，已转出",
    key: "按键离开",
    flow: "由流程转出",
    picked_up: "被代答",
    ended: "呼叫已结束",
  },
  lines: {
    given_up: "（不再需要）",
    put_down: "（话机已挂断）",
    not_taken: "（未应答）",
    lost: "（连接丢失）",
  },
  did: {
    call_started: "{caller} 呼叫 {to}",
    call_routed: "{caller} 路由至 {to}",
    call_stage: "{caller}：{stage}",
    call_stage_agent: "{caller}：{stage}，座席 {agent}",
    call_answered: "{caller} 已应答",
    leg_started: "{caller}：接入一方 {party}",
    leg_answered: "{caller}：一方已应答",
    leg_held: "{caller} 被保持",
    leg_resumed: "{caller} 取消保持",
    audio_nothing: "{caller}：一方没有声音",
    audio_one_way: "{caller}：单通，一方的声音中断",
    audio_back: "{caller}：声音已恢复",
    audio_late: "{caller}：{packets} 个语音包迟到，最多 {ms} 毫秒",
    leg_ended: "{caller}：一方结束，{cause}",
    transfer_blind: "{caller}：转接到 {to} {outcome} {cause}",
    transfer_attended: "{caller}：咨询转接到 {to} {outcome} {cause}",
    transfer_taken: "{caller}：由 {to} 接管",
    digit: "{caller} 按键 {digit}",
    data_changed: "{caller}：{key} = {value}",
    data_removed: "{caller}：已删除 {key}",
    flow_started: "{caller} 进入流程 {flow}",
    flow_failed: "{caller}：流程 {flow} 出错：{error}",
    flow_log: "{caller}：{text}",
    queue_entered: "{caller} 进入队列 {queue}，第 {position} 位",
    queue_offered: "{caller} 分配给座席 {agent}：{why}",
    queue_left: "{caller} 离开队列 {queue}：{outcome}",
    agent_status: "座席 {agent}：{status}，{why}",
    agent_overdue: "座席 {agent}：休息超时",
    agent_chats: "座席 {agent}：{chats}/{most} 个会话",
    line_up: "座席 {agent}：长连接已建立",
    line_down: "座席 {agent}：长连接已断开 {why}",
    registered: "{user} 的话机已注册",
    unregistered: "{user} 的话机已注销",
    recording_started: "{caller}：开始录音",
    recording_ready: "{caller}：录音可用，{length}",
    call_ended: "{caller} 结束：{cause}（{by}）",
    chat_opened: "会话 {chat}：{customer} 进入 {queue}",
    chat_accepted: "会话 {chat}：座席 {agent} 已接入",
    chat_other: "会话 {chat}：{what}",
    chat_closed: "会话 {chat} 已结束",
    table_changed: "表 {table}：行 {key} 已变更",
    campaign_made: "外呼活动 {name} 已创建",
    campaign_changed: "外呼活动 {name} 已修改",
    campaign_paused: "外呼活动 {name} 已暂停",
    campaign_resumed: "外呼活动 {name} 已恢复",
    campaign_over: "外呼活动 {name} 已到期",
    campaign_deleted: "外呼活动 {name} 已删除",
    number_pending: "外呼活动 {campaign}：{called} 将再次呼叫",
    number_calling: "外呼活动 {campaign}：正在呼叫 {called}",
    number_done: "外呼活动 {campaign}：{called} 已完成",
    trunk_changed: "中继 {trunk} {gateway}：{state}",
    config_reloaded: "配置 {version} 已生效",
    alarm: "告警 {code}：{text}",
    gap: "缺少事件 {from} 至 {to}，状态已重新读取",
    unknown: "{type}",
  },
};

export const WORDS: Record<Lang, Words> = { en, zh, ar, es, pt, fr };

export const lang = ref<Lang>("en");

export function setLang(to: Lang): void {
  lang.value = to;
}

/** The words of the language in use. */
export const w = (): Words => WORDS[lang.value];

/** Puts values where a text names them. */
export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}
