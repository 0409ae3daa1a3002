/** What is said to a visitor, in the language of the page that he is on. English is the shape (test/visit/words.test.ts). */

import type { Call } from "./machine";

const en = {
  call: "Call us",
  mute: "Mute",
  unmute: "Unmute",
  hang_up: "Hang up",
  idle: "",
  asking: "Please let this page use your microphone.",
  calling: "Calling …",
  waiting: "You are waiting for somebody to answer.",
  up: "You are connected.",
  muted: "You are connected, and not heard.",
  over: "The call is over.",
  nobody: "Nobody can take your call now. Please try again later.",
  refused: "The call did not begin in time. Please press the button again.",
  lost: "The connection was lost. Please call again.",
  unreachable: "We cannot be reached from your network now.",
  not_given: "Calls are not possible now. Please try again later.",
  microphone_insecure: "Calls need a page that was opened by https.",
  microphone_refused: "Your browser does not let this page use the microphone. Allow it beside the address, and call again.",
  microphone_none: "There is no microphone.",
  microphone_busy: "Another program has the microphone. Close it, and call again.",
  microphone_gone: "The microphone was unplugged.",
  microphone_unknown: "The microphone cannot be used.",
};
export type Words = typeof en;

const LANGUAGES: Record<string, Words> = {
  en,
  zh: {
    call: "呼叫客服",
    mute: "静音",
    unmute: "取消静音",
    hang_up: "挂断",
    idle: "",
    asking: "请允许本页面使用麦克风。",
    calling: "正在呼叫……",
    waiting: "正在排队,请等待接听。",
    up: "已接通。",
    muted: "已接通,对方听不到您的声音。",
    over: "通话已结束。",
    nobody: "现在没有人能接听您的来电,请稍后再试。",
    refused: "呼叫未能及时开始,请再按一次按钮。",
    lost: "连接已中断,请重新呼叫。",
    unreachable: "您的网络目前无法连接到我们。",
    not_given: "目前无法呼叫,请稍后再试。",
    microphone_insecure: "只有通过 https 打开的页面才能通话。",
    microphone_refused: "浏览器不允许本页面使用麦克风。请在地址栏旁允许后重新呼叫。",
    microphone_none: "没有找到麦克风。",
    microphone_busy: "麦克风正被其他程序占用,请关闭该程序后重新呼叫。",
    microphone_gone: "麦克风已被拔出。",
    microphone_unknown: "麦克风无法使用。",
  },
  ar: {
    call: "اتصل بنا",
    mute: "كتم الصوت",
    unmute: "إلغاء الكتم",
    hang_up: "إنهاء",
    idle: "",
    asking: "يرجى السماح لهذه الصفحة باستخدام الميكروفون.",
    calling: "جارٍ الاتصال …",
    waiting: "أنت في انتظار من يجيب.",
    up: "أنت متصل.",
    muted: "أنت متصل، ولا يُسمع صوتك.",
    over: "انتهت المكالمة.",
    nobody: "لا أحد يستطيع تلقي مكالمتك الآن. يرجى المحاولة لاحقًا.",
    refused: "لم تبدأ المكالمة في الوقت المحدد. يرجى الضغط على الزر مرة أخرى.",
    lost: "انقطع الاتصال. يرجى الاتصال مجددًا.",
    unreachable: "لا يمكن الوصول إلينا من شبكتك الآن.",
    not_given: "المكالمات غير ممكنة الآن. يرجى المحاولة لاحقًا.",
    microphone_insecure: "تحتاج المكالمات إلى صفحة مفتوحة عبر https.",
    microphone_refused: "لا يسمح متصفحك لهذه الصفحة باستخدام الميكروفون. اسمح به بجانب العنوان ثم اتصل مجددًا.",
    microphone_none: "لا يوجد ميكروفون.",
    microphone_busy: "برنامج آخر يستخدم الميكروفون. أغلقه ثم اتصل مجددًا.",
    microphone_gone: "تم فصل الميكروفون.",
    microphone_unknown: "لا يمكن استخدام الميكروفون.",
  },
  es: {
    call: "Llámenos",
    mute: "Silenciar",
    unmute: "Activar el micrófono",
    hang_up: "Colgar",
    idle: "",
    asking: "Permita que esta página use su micrófono.",
    calling: "Llamando …",
    waiting: "Está esperando a que alguien conteste.",
    up: "Está en comunicación.",
    muted: "Está en comunicación y no se le oye.",
    over: "La llamada ha terminado.",
    nobody: "Nadie puede atender su llamada ahora. Inténtelo más tarde.",
    refused: "La llamada no comenzó a tiempo. Pulse el botón otra vez.",
    lost: "Se perdió la conexión. Llame de nuevo.",
    unreachable: "No se nos puede alcanzar ahora desde su red.",
    not_given: "Ahora no es posible llamar. Inténtelo más tarde.",
    microphone_insecure: "Las llamadas necesitan una página abierta por https.",
    microphone_refused: "Su navegador no permite que esta página use el micrófono. Permítalo junto a la dirección y llame de nuevo.",
    microphone_none: "No hay ningún micrófono.",
    microphone_busy: "Otro programa tiene el micrófono. Ciérrelo y llame de nuevo.",
    microphone_gone: "El micrófono se ha desconectado.",
    microphone_unknown: "El micrófono no se puede usar.",
  },
  fr: {
    call: "Appelez-nous",
    mute: "Couper le micro",
    unmute: "Rétablir le micro",
    hang_up: "Raccrocher",
    idle: "",
    asking: "Autorisez cette page à utiliser votre microphone.",
    calling: "Appel en cours …",
    waiting: "Vous attendez que quelqu'un réponde.",
    up: "Vous êtes en communication.",
    muted: "Vous êtes en communication, et on ne vous entend pas.",
    over: "L'appel est terminé.",
    nobody: "Personne ne peut prendre votre appel maintenant. Réessayez plus tard.",
    refused: "L'appel n'a pas commencé à temps. Appuyez encore une fois sur le bouton.",
    lost: "La connexion a été perdue. Rappelez.",
    unreachable: "Nous ne sommes pas joignables depuis votre réseau pour l'instant.",
    not_given: "Les appels ne sont pas possibles maintenant. Réessayez plus tard.",
    microphone_insecure: "Les appels demandent une page ouverte en https.",
    microphone_refused: "Votre navigateur n'autorise pas cette page à utiliser le microphone. Autorisez-le à côté de l'adresse et rappelez.",
    microphone_none: "Il n'y a pas de microphone.",
    microphone_busy: "Un autre programme occupe le microphone. Fermez-le et rappelez.",
    microphone_gone: "Le microphone a été débranché.",
    microphone_unknown: "Le microphone ne peut pas être utilisé.",
  },
  pt: {
    call: "Ligue para nós",
    mute: "Silenciar",
    unmute: "Ativar o microfone",
    hang_up: "Desligar",
    idle: "",
    asking: "Permita que esta página use o seu microfone.",
    calling: "A chamar …",
    waiting: "Está à espera que alguém atenda.",
    up: "Está em ligação.",
    muted: "Está em ligação e não é ouvido.",
    over: "A chamada terminou.",
    nobody: "Ninguém pode atender a sua chamada agora. Tente mais tarde.",
    refused: "A chamada não começou a tempo. Prima o botão outra vez.",
    lost: "A ligação perdeu-se. Ligue de novo.",
    unreachable: "Não somos alcançáveis a partir da sua rede agora.",
    not_given: "Não é possível ligar agora. Tente mais tarde.",
    microphone_insecure: "As chamadas precisam de uma página aberta por https.",
    microphone_refused: "O seu navegador não deixa esta página usar o microfone. Permita-o junto ao endereço e ligue de novo.",
    microphone_none: "Não há microfone.",
    microphone_busy: "Outro programa tem o microfone. Feche-o e ligue de novo.",
    microphone_gone: "O microfone foi desligado.",
    microphone_unknown: "O microfone não pode ser usado.",
  },
};

export const known = (): Record<string, Words> => LANGUAGES;

/** The words in the first of these languages that there are any in. */
export function words(reads: readonly (string | null | undefined)[]): Words {
  for (const one of reads) {
    const found = LANGUAGES[(one ?? "").toLowerCase().split("-")[0] ?? ""];
    if (found) {
      return found;
    }
  }
  return en;
}

/** What a call is, in words. */
export function said(call: Call, of: Words): string {
  switch (call.is) {
    case "up":
      return call.muted ? of.muted : of.up;
    case "over":
      return of[call.why];
    default:
      return of[call.is];
  }
}
