/**
 * What of an answer of the switch JsSIP is given.
 *
 * JsSIP answers the first challenge alone and knows MD5 alone; the switch offers SHA-256 before it (RFC 8760 2.4: best first).
 * What JsSIP cannot answer is taken out. The password is one of 256 random bits that is good for minutes, over TLS.
 */
export function withMd5Alone(message: string): string {
  const end = message.indexOf("\r\n\r\n");
  if (end < 0 || !/^SIP\/2\.0 40[17] /.test(message)) {
    return message;
  }
  const lines = message.slice(0, end).split("\r\n");
  const challenge = /^(www|proxy)-authenticate\s*:/i;
  const known = (text: string): boolean => {
    const algorithm = /algorithm\s*=\s*"?([A-Za-z0-9-]+)/i.exec(text)?.[1];
    return algorithm === undefined || algorithm.toUpperCase() === "MD5";
  };
  const kept = lines.filter((text) => !challenge.test(text) || known(text));
  // where nothing is left, the answer is to say why
  const left = kept.some((text) => challenge.test(text)) ? kept : lines;
  return left.join("\r\n") + message.slice(end);
}
