import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const root = join(import.meta.dirname, '../..');
/** The README, and its twin in French. */
export const readmes = {
  en: readFileSync(join(root, 'README.md'), 'utf8'),
  fr: readFileSync(join(root, 'README.fr.md'), 'utf8'),
};
export const readme = readmes.en;

/** Where the README, and whoever has just started the demo, finds the service. */
export const README_URL = 'http://localhost:8091';

/** A fenced block of the README, and the output printed below it. */
export interface Example {
  /** How the text above it begins. */
  readonly title: string;
  readonly language: string;
  readonly code: string;
  readonly output?: { readonly language: string; readonly text: string };
}

/** Every block that talks to the service. */
export function readExamples(): Example[] {
  const blocks = [...readme.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map((match) => {
    const [whole, language = '', text = ''] = match;
    return { language, text, start: match.index, end: match.index + whole.length };
  });
  return blocks.flatMap(({ language, text, start, end }, i) => {
    if (!['sh', 'js'].includes(language) || !text.includes(README_URL)) return [];
    const next = blocks[i + 1];
    const isOutput = next !== undefined && readme.slice(end, next.start).trim() === '';
    const [paragraph = ''] = readme.slice(0, start).trim().split('\n\n').slice(-1);
    const title = /^\*\*(.+?)\*\*|^[^,.\n]+/.exec(paragraph);
    return [
      { title: title?.[1] ?? title?.[0] ?? '', language, code: text, ...(isOutput && { output: next }) },
    ];
  });
}

/** The words of a shell command, of which it may hold no more than quotes and continued lines. */
export function toWords(command: string): string[] {
  const words: string[] = [];
  const text = command.trim().replaceAll('\\\n', ' ');
  let rest = text;
  while (rest !== '') {
    const [whole = '', word = ''] =
      /^((?:'[^']*'|"[^"\\$`]*"|[^\s'"\\$`|&;<>(){}*?#!~])+)\s*/.exec(rest) ?? [];
    if (whole === '') throw new Error(`not read as a shell would: ${rest}`);
    words.push(word.replace(/'([^']*)'|"([^"]*)"/g, (_, single, double) => single ?? double));
    rest = rest.slice(whole.length);
  }
  return words;
}

/** What curl (1) sends for those of its options that are used here. */
export function toRequest(command: string): { url: string; init: RequestInit } {
  const [program, ...words] = toWords(command);
  if (program !== 'curl') throw new Error(`not curl: ${program}`);
  const [data, headers, urls]: [string[], [string, string][], string[]] = [[], [], []];
  let isGet = false;
  const value = (option: string) => {
    const word = words.shift();
    if (word === undefined) throw new Error(`curl ${option} wants a value`);
    return word;
  };
  const options: Record<string, (option: string) => void> = {
    '-s': () => {},
    '-G': () => {
      isGet = true;
    },
    '-d': (option) => void data.push(value(option)),
    '--data-urlencode': (option) => {
      const [, name, content] = /^([^=]+)=(.*)$/s.exec(value(option)) ?? [];
      if (name === undefined || content === undefined) throw new Error('curl --data-urlencode NAME=CONTENT');
      data.push(`${name}=${encodeURIComponent(content)}`);
    },
    '-H': (option) => {
      const [, name = '', content = ''] = /^([^:]+): *(.*)$/.exec(value(option)) ?? [];
      headers.push([name, content]);
    },
  };
  while (words.length > 0) {
    const word = words.shift() ?? '';
    const flags = /^-\w{2,}$/.test(word) ? [...word.slice(1)].map((flag) => `-${flag}`) : [word];
    for (const flag of flags) {
      if (!flag.startsWith('-')) urls.push(flag);
      else if (options[flag] === undefined) throw new Error(`curl ${flag} is not known here`);
      else options[flag](flag);
    }
  }
  const [url = ''] = urls;
  if (urls.length !== 1) throw new Error(`${urls.length} URLs`);
  const body = data.join('&');
  if (body === '') return { url, init: { headers } };
  if (isGet) return { url: `${url}?${body}`, init: { headers } };
  const form: [string, string] = ['Content-Type', 'application/x-www-form-urlencoded'];
  const isTyped = headers.some(([name]) => name.toLowerCase() === 'content-type');
  return { url, init: { method: 'POST', headers: isTyped ? headers : [...headers, form], body } };
}

/** What a program prints, run from the root of the repository. */
export async function runProgram(program: string, ...args: readonly string[]): Promise<string> {
  const { PATH, HOME } = process.env;
  const { stdout } = await promisify(execFile)(program, args, { cwd: root, env: { PATH, HOME } });
  return stdout;
}

/** JSON as it is compared: only the time and the request's id may differ from one answer to the next. */
export function toComparable(json: string): string {
  return JSON.stringify(JSON.parse(json), undefined, 1)
    .replace(/"timeStamp": "\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/, '"timeStamp": "..."')
    .replace(/"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"/, '"urn:uuid:..."');
}

/** What is printed of an example when it runs against the service at `url`, as if that were where the README has it. */
export async function toOutput(
  url: string,
  run: (code: string) => Promise<string>,
  code: string,
): Promise<string> {
  const printed = await run(code.replaceAll(README_URL, url));
  return printed.replaceAll(url, README_URL);
}
