// SPDX-License-Identifier: Apache-2.0
// Keys and values are bytes. What is shown and edited as text must come back as the same bytes. Each
// function is pure.

const encoder = new TextEncoder();

/** A mistake of the person's, with what to do. */
export class Mistake extends Error {}

/** UTF-8 of a text. */
export const utf8 = (text) => encoder.encode(text);

/** Whether two byte arrays are the same. */
export const same = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);

/** The text whose UTF-8 the bytes are, or null. */
export function text(bytes) {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/**
 * The text, if a text field gives it back unchanged: fields turn CR into LF, and nobody sees what a
 * control character is. Else null.
 */
export function editableText(bytes) {
  const decoded = text(bytes);
  return decoded === null || /[\u0000-\u0008\u000b-\u001f\u007f]/.test(decoded) ? null : decoded;
}

/** Text with \xNN for what is not printable and \\ for a backslash: how keys are shown and typed. */
export function escaped(bytes) {
  const decoded = text(bytes);
  if (decoded === null) {
    return Array.from(bytes, (byte) =>
      byte === 0x5c ? '\\\\' : byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : hexEscape(byte),
    ).join('');
  }
  return decoded
    .replaceAll('\\', '\\\\')
    .replace(/[\p{C}\p{Z}]/gu, (c) => (c === ' ' ? c : Array.from(utf8(c), hexEscape).join('')));
}

const hexEscape = (byte) => `\\x${byte.toString(16).padStart(2, '0')}`;

/** What was typed in that notation. */
export function unescaped(typed) {
  const out = [];
  for (const part of typed.split(/(\\x[0-9a-fA-F]{2}|\\\\)/)) {
    if (part === '\\\\') {
      out.push(0x5c);
    } else if (part.startsWith('\\x') && part.length === 4) {
      out.push(Number.parseInt(part.slice(2), 16));
    } else if (part.includes('\\')) {
      throw new Mistake('A backslash begins \\xNN (a byte in hex) or is written twice: \\\\');
    } else {
      out.push(...utf8(part));
    }
  }
  return Uint8Array.from(out);
}

/** Hex, 16 bytes a line, in two groups of eight. */
export function hex(bytes) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const line = Array.from(bytes.subarray(at, at + 16), (byte) => byte.toString(16).padStart(2, '0'));
    lines.push([line.slice(0, 8).join(' '), line.slice(8).join(' ')].filter(Boolean).join('  '));
  }
  return lines.join('\n');
}

/** What was typed as hex; white space does not count. */
export function unhex(typed) {
  const digits = typed.replace(/\s+/g, '');
  const wrong = digits.match(/[^0-9a-fA-F]/);
  if (wrong) {
    throw new Mistake(`Hex has digits 0 to 9 and a to f only, not “${wrong[0]}”`);
  }
  if (digits.length % 2 === 1) {
    throw new Mistake('Hex has two digits a byte; one is missing');
  }
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

/** Whether bytes are a JSON object or array, which is worth to be shown as one. */
export function looksLikeJson(bytes) {
  const decoded = editableText(bytes);
  return decoded !== null && /^\s*[[{]/.test(decoded) && isJson(decoded);
}

/** Whether a text is JSON. */
export function isJson(decoded) {
  try {
    JSON.parse(decoded);
    return true;
  } catch {
    return false;
  }
}

/**
 * JSON with line breaks, token by token: numbers stay as they were written, however long, and so do
 * repeated names, both of which JSON.parse would change.
 */
export function indentedJson(json) {
  const tokens = json.match(/"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s[\]{},:"]+/g) ?? [];
  let out = '';
  let depth = 0;
  tokens.forEach((token, i) => {
    const newLine = () => `\n${'  '.repeat(depth)}`;
    if (token === '{' || token === '[') {
      depth++;
      out += token + (tokens[i + 1] === '}' || tokens[i + 1] === ']' ? '' : newLine());
    } else if (token === '}' || token === ']') {
      depth--;
      out += (tokens[i - 1] === '{' || tokens[i - 1] === '[' ? '' : newLine()) + token;
    } else {
      out += token === ',' ? token + newLine() : token === ':' ? ': ' : token;
    }
  });
  return out;
}

/** Percent-encoded, for a path or a query. */
export function percent(bytes) {
  return Array.from(bytes, (byte) =>
    /[A-Za-z0-9._~-]/.test(String.fromCharCode(byte))
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
  ).join('');
}

/** From base64. */
export function unbase64(base64) {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}
