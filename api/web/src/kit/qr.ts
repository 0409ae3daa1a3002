/**
 * QR codes (ISO/IEC 18004), as far as a link of a second factor needs them: bytes, error correction M, versions 1 to 10.
 *
 * Of our own: it is one page of arithmetic that will not change, and a secret goes through it.
 */

/** Of versions 1 to 10 with level M: check words of a block, blocks of the first size, their data words, blocks with one more. */
const SIZES = [
  [10, 1, 16, 0],
  [16, 1, 28, 0],
  [26, 1, 44, 0],
  [18, 2, 32, 0],
  [24, 2, 43, 0],
  [16, 4, 27, 0],
  [18, 4, 31, 0],
  [22, 2, 38, 2],
  [22, 3, 36, 2],
  [26, 4, 43, 1],
] as const;
/** Where the small squares stand, by version. */
const ALIGNED: readonly (readonly number[])[] = [[], [6, 18], [6, 22], [6, 26], [6, 30], [6, 34], [6, 22, 38], [6, 24, 42], [6, 26, 46], [6, 28, 50]];
/** Level M in the format's bits. */
const LEVEL_M = 0;

// The field of 256 elements, made by x^8 + x^4 + x^3 + x^2 + 1.
const EXP = new Uint8Array(512);
const LOG = new Uint8Array(256);
for (let power = 0, x = 1; power < 255; power++) {
  EXP[power] = EXP[power + 255] = x;
  LOG[x] = power;
  x = x & 128 ? (x << 1) ^ 0x11d : x << 1;
}
const times = (a: number, b: number): number => (a === 0 || b === 0 ? 0 : (EXP[(LOG[a] ?? 0) + (LOG[b] ?? 0)] ?? 0));

/** The check words of a block: the remainder by the product of (x - 2^i). */
export function checkWords(data: Uint8Array, count: number): Uint8Array {
  let divisor = new Uint8Array([1]);
  for (let i = 0; i < count; i++) {
    const next = new Uint8Array(divisor.length + 1);
    divisor.forEach((one, at) => {
      next[at] = (next[at] ?? 0) ^ one;
      next[at + 1] = (next[at + 1] ?? 0) ^ times(one, EXP[i] ?? 0);
    });
    divisor = next;
  }
  const rest = new Uint8Array(data.length + count);
  rest.set(data);
  for (let at = 0; at < data.length; at++) {
    const lead = rest[at] ?? 0;
    divisor.forEach((one, i) => (rest[at + i] = (rest[at + i] ?? 0) ^ times(one, lead)));
  }
  return rest.slice(data.length);
}

/** Data and check words in the order in which they are drawn. */
function wordsOf(bytes: Uint8Array, version: number): Uint8Array {
  const [check, blocks, size, longer] = SIZES[version - 1] ?? SIZES[0];
  const room = blocks * size + longer * (size + 1);
  const bits: number[] = [];
  const put = (value: number, length: number): void => {
    for (let i = length - 1; i >= 0; i--) {
      bits.push((value >> i) & 1);
    }
  };
  put(0b0100, 4); // bytes
  put(bytes.length, version < 10 ? 8 : 16);
  bytes.forEach((one) => put(one, 8));
  put(0, Math.min(4, room * 8 - bits.length));
  while (bits.length % 8 !== 0) {
    bits.push(0);
  }
  for (let pad = 0xec; bits.length < room * 8; pad ^= 0xec ^ 0x11) {
    put(pad, 8);
  }
  const data = new Uint8Array(room);
  bits.forEach((bit, at) => (data[at >> 3] = (data[at >> 3] ?? 0) | (bit << (7 - (at & 7)))));

  const parts: Uint8Array[] = [];
  for (let from = 0; from < room; ) {
    const length = parts.length < blocks ? size : size + 1;
    parts.push(data.slice(from, from + length));
    from += length;
  }
  const checks = parts.map((one) => checkWords(one, check));
  const woven: number[] = [];
  for (let at = 0; at <= size; at++) {
    parts.forEach((one) => at < one.length && woven.push(one[at] ?? 0));
  }
  for (let at = 0; at < check; at++) {
    checks.forEach((one) => woven.push(one[at] ?? 0));
  }
  return Uint8Array.from(woven);
}

/** `value` followed by its remainder by `by`, a polynomial of `degree`. */
function withRest(value: number, by: number, degree: number): number {
  let rest = value << degree;
  for (let bit = 31; bit >= degree; bit--) {
    if ((rest >>> bit) & 1) {
      rest ^= by << (bit - degree);
    }
  }
  return (value << degree) | rest;
}

const MASKS: readonly ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 2 === 0,
  (_, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

type Cells = (boolean | null)[][];
const fresh = (side: number): Cells => Array.from({ length: side }, () => Array.from({ length: side }, () => null));

/** What stands at its place in every code of a version; null where data goes. */
function frame(version: number): Cells {
  const side = 17 + 4 * version;
  const cells = fresh(side);
  const put = (x: number, y: number, dark: boolean): void => {
    const row = cells[y];
    if (row && x >= 0 && x < side) {
      row[x] = dark;
    }
  };
  const ring = (x: number, y: number, reach: number, dark: (far: number) => boolean): void => {
    for (let dy = -reach; dy <= reach; dy++) {
      for (let dx = -reach; dx <= reach; dx++) {
        put(x + dx, y + dy, dark(Math.max(Math.abs(dx), Math.abs(dy))));
      }
    }
  };
  for (let at = 0; at < side; at++) {
    put(6, at, at % 2 === 0);
    put(at, 6, at % 2 === 0);
  }
  const finder = (far: number): boolean => far !== 2 && far !== 4;
  ring(3, 3, 4, finder);
  ring(side - 4, 3, 4, finder);
  ring(3, side - 4, 4, finder);
  const places = ALIGNED[version - 1] ?? [];
  const end = places[places.length - 1];
  for (const y of places) {
    for (const x of places) {
      if (!((x === 6 && (y === 6 || y === end)) || (x === end && y === 6))) {
        ring(x, y, 2, (far) => far !== 1);
      }
    }
  }
  drawFormat(cells, 0); // keeps its place free
  if (version >= 7) {
    const bits = withRest(version, 0x1f25, 12);
    for (let i = 0; i < 18; i++) {
      const dark = ((bits >> i) & 1) === 1;
      put(side - 11 + (i % 3), Math.floor(i / 3), dark);
      put(Math.floor(i / 3), side - 11 + (i % 3), dark);
    }
  }
  return cells;
}

/** The level and the mask, twice. */
function drawFormat(cells: Cells, mask: number): void {
  const side = cells.length;
  const bits = withRest((LEVEL_M << 3) | mask, 0x537, 10) ^ 0x5412;
  const put = (x: number, y: number, i: number): void => {
    const row = cells[y];
    if (row) {
      row[x] = ((bits >> i) & 1) === 1;
    }
  };
  for (let i = 0; i < 15; i++) {
    const near = i < 6 ? i : i < 8 ? i + 1 : 14 - i;
    if (i < 8) {
      put(8, near, i);
      put(side - 1 - i, 8, i);
    } else {
      put(i === 8 ? 7 : near, 8, i);
      put(8, side - 15 + i, i);
    }
  }
  const row = cells[side - 8];
  if (row) {
    row[8] = true;
  }
}

/** The places of data bits, in their order: up and down in columns of two, from the end. */
export function path(free: (x: number, y: number) => boolean, side: number): [number, number][] {
  const all: [number, number][] = [];
  for (let right = side - 1, up = true; right >= 1; right -= 2, up = !up) {
    if (right === 6) {
      right = 5;
    }
    for (let step = 0; step < side; step++) {
      const y = up ? side - 1 - step : step;
      for (const x of [right, right - 1]) {
        if (free(x, y)) {
          all.push([x, y]);
        }
      }
    }
  }
  return all;
}

/** How hard a code is to read: the less the better. */
function harm(cells: boolean[][]): number {
  const side = cells.length;
  const dark = (x: number, y: number): boolean => cells[y]?.[x] ?? false;
  let sum = 0;
  for (const at of [dark, (x: number, y: number) => dark(y, x)]) {
    for (let y = 0; y < side; y++) {
      let run = 0;
      let line = "";
      for (let x = 0; x < side; x++) {
        run = x > 0 && at(x, y) === at(x - 1, y) ? run + 1 : 1;
        sum += run === 5 ? 3 : run > 5 ? 1 : 0;
        line += at(x, y) ? "1" : "0";
      }
      sum += 40 * [...line.matchAll(/(?=00001011101|10111010000)/g)].length;
    }
  }
  let all = 0;
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      all += dark(x, y) ? 1 : 0;
      const same = dark(x, y);
      sum += x > 0 && y > 0 && dark(x - 1, y) === same && dark(x, y - 1) === same && dark(x - 1, y - 1) === same ? 3 : 0;
    }
  }
  return sum + 10 * Math.floor(Math.abs((20 * all) / (side * side) - 10));
}

/** The code of a text, row by row, dark where true; nothing if it is too long for version 10. */
export function qrOf(text: string): boolean[][] | null {
  const bytes = new TextEncoder().encode(text);
  const version = SIZES.findIndex(([, blocks, size, longer], at) => bytes.length + (at < 9 ? 2 : 3) <= blocks * size + longer * (size + 1)) + 1;
  if (version === 0) {
    return null;
  }
  const fixed = frame(version);
  const side = fixed.length;
  const words = wordsOf(bytes, version);
  const places = path((x, y) => fixed[y]?.[x] === null, side);
  const drawn = MASKS.map((masked, mask) => {
    const cells: Cells = fixed.map((row) => [...row]);
    places.forEach(([x, y], at) => {
      const bit = ((words[at >> 3] ?? 0) >> (7 - (at & 7))) & 1;
      const row = cells[y];
      if (row) {
        row[x] = (bit === 1) !== masked(x, y);
      }
    });
    drawFormat(cells, mask);
    return cells.map((row) => row.map((one) => one === true));
  });
  return drawn.reduce((best, one) => (harm(one) < harm(best) ? one : best));
}
