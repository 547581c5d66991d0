#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { stderr, stdin, stdout } from 'node:process';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { loadSettings, type ModuleConfig } from '../config/modules.js';
import { type Config, ConfigError, toProxy } from '../config.js';
import {
  AccountError,
  AuthorizationError,
  createAuthorization,
  createTokenEndpoint,
  TOKEN_TIMEOUT_MS,
  TokenError,
} from '../oauth/index.js';

const USAGE = `usage: carto-wfs-oauth [--module NAME] [CODE|URL]

Authorizes the account that this service has at its upstream (OAuth 2, authorization code) and writes the token file:
WFS_OAUTH_FILE, or what the module of that name in WFS_MODULES_FILE has as oauth.file; --module may be left out where
one module alone has an account. Without an argument: prints the URL to open in a browser, then waits on standard input
for the code, or for the whole URL the browser was sent to. With one of these as the argument: ends what was begun
within the last hour. A running service picks the file up by itself. The environment is the service's.

exit: 0, 64 wrong usage, 65 what was given is no code or not the answer to what was asked, 66 no code came,
      69 the token endpoint cannot be asked, 73 the file cannot be written, 75 the file is locked, 77 refused,
      78 the environment is not usable
`;

// sysexits.h
const EX_USAGE = 64;
const EX_DATAERR = 65;
const EX_NOINPUT = 66;
const EX_UNAVAILABLE = 69;
const EX_CANTCREAT = 73;
const EX_TEMPFAIL = 75;
const EX_NOPERM = 77;
const EX_CONFIG = 78;

class Exit extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

const HELP = Symbol('help');

interface Given {
  readonly module: string | undefined;
  /** The code, or the URL that holds it. */
  readonly pasted: string | undefined;
}

function readArguments(args: string[]): Given | typeof HELP {
  try {
    const options = {
      help: { type: 'boolean', short: 'h' },
      module: { type: 'string', short: 'm' },
    } as const;
    const { values, positionals } = parseArgs({ args, allowPositionals: true, options });
    if (values.help === true) return HELP;
    if (positionals.length <= 1) return { module: values.module, pasted: positionals[0] };
  } catch (error) {
    throw new Exit(EX_USAGE, `${(error as Error).message}\n${USAGE}`);
  }
  throw new Exit(EX_USAGE, `one CODE or URL at most\n${USAGE}`);
}

interface OwnAccount {
  readonly config: Config;
  readonly name: string;
  readonly oauth: NonNullable<ModuleConfig['oauth']>;
}

/** The account of the module that is named, or of the only one that has one. */
function loadAccount(asked: string | undefined): OwnAccount {
  const { config, modules } = loadSettings(process.env, (path) => readFileSync(path, 'utf8'));
  const accounts = modules.flatMap(({ name, oauth }) =>
    oauth === undefined ? [] : [{ config, name, oauth }],
  );
  const named = asked === undefined ? accounts : accounts.filter(({ name }) => name === asked);
  const [account] = named;
  if (account !== undefined && named.length === 1) return account;
  const names = accounts.map(({ name }) => name).join(', ');
  if (accounts.length === 0)
    throw new Exit(EX_CONFIG, `no account is set up: neither WFS_OAUTH_* nor oauth\n`);
  if (asked === undefined) throw new Exit(EX_USAGE, `say which, by --module: ${names}\n`);
  throw new Exit(EX_USAGE, `no module of this name has an account; those that have one are ${names}\n`);
}

/** The first line that is not empty. */
async function readPasted(): Promise<string> {
  for await (const line of createInterface({ input: stdin })) if (line.trim() !== '') return line;
  throw new Exit(EX_NOINPUT, 'no code came; run the command again with it: carto-wfs-oauth CODE\n');
}

async function authorize({ module, pasted: given }: Given): Promise<void> {
  const { config, name, oauth } = loadAccount(module);
  const { file, ...client } = oauth;
  const proxy = toProxy(client.tokenUrl, config);
  const endpoint = createTokenEndpoint({ client, proxy, timeoutMs: TOKEN_TIMEOUT_MS });
  const authorization = createAuthorization(client, file, endpoint);
  let pasted = given;
  if (pasted === undefined) {
    const url = await authorization.begin();
    stderr.write(`The account of ${name}. Open this URL, log in and agree:\n\n`);
    stdout.write(`${url}\n`);
    stderr.write('\nThe browser is then sent to the redirect URI. Paste that whole URL here, or its code:\n');
    pasted = await readPasted();
  }
  const { isStateChecked } = await authorization.end(pasted);
  if (!isStateChecked) stderr.write('A code alone brings no state: that could not be checked.\n');
  stderr.write(`${file} is written.\n`);
}

function toExit(error: unknown): Error {
  const { message } = error as Error;
  if (error instanceof ConfigError) return new Exit(EX_CONFIG, `${message}\n`);
  if (error instanceof AuthorizationError) {
    return new Exit(error.kind === 'denied' ? EX_NOPERM : EX_DATAERR, `${message}\n`);
  }
  if (error instanceof TokenError) {
    return error.isRefusal
      ? new Exit(EX_NOPERM, `the token endpoint refuses: ${toAdvice(error.code)}\n`)
      : new Exit(EX_UNAVAILABLE, `the token endpoint cannot be asked: ${error.code}\n`);
  }
  if (error instanceof AccountError) {
    return new Exit(error.text.id === 'oauth.locked' ? EX_TEMPFAIL : EX_CANTCREAT, `${message}\n`);
  }
  return error as Error;
}

/** RFC 6749 §5.2 */
function toAdvice(code: string): string {
  if (code === 'invalid_grant') {
    return 'invalid_grant; the code is over, was used before, or the redirect URI is another. Begin again';
  }
  if (code === 'invalid_client') {
    return 'invalid_client; look at client id, client secret and authentication';
  }
  return code;
}

async function main(): Promise<void> {
  const given = readArguments(process.argv.slice(2));
  if (given === HELP) stdout.write(USAGE);
  else await authorize(given);
}

main().catch((error: unknown) => {
  const exit = toExit(error);
  if (!(exit instanceof Exit)) throw error;
  stderr.write(`carto-wfs-oauth: ${exit.message}`);
  process.exitCode = exit.code;
});
