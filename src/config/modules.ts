import { z } from 'zod';
import {
  type Config,
  ConfigError,
  loadConfig,
  oauthVariables,
  readAccountFaults,
  readPathFault,
  toOAuthSettings,
  variables,
} from '../config.js';
import { type Environment, type FileFault, type Path, readSettingsFile } from './settings-file.js';

type Fault = ConfigError['faults'][number];

/** What a module's page is tried out with. */
export interface Example {
  readonly source: string;
  /** Longitude, latitude: where the example geometries are. */
  readonly position?: readonly [number, number];
  readonly attributes?: Readonly<Record<string, string | readonly string[]>>;
}

/** The settings under `limits`, each beside the one of the environment it stands for. */
const limitKeys = {
  limitMax: 'limitMax',
  bodyLimit: 'bodyLimit',
  geomMaxVertices: 'geomMaxVertices',
  localScanMaxFeatures: 'localScanMaxFeatures',
  maxResponseBytes: 'wfsMaxResponseBytes',
  responseTimeoutMs: 'wfsResponseTimeoutMs',
  idleTimeoutMs: 'wfsIdleTimeoutMs',
  requestDeadlineMs: 'requestDeadlineMs',
  countTimeoutMs: 'countTimeoutMs',
  rateLimit: 'wfsRateLimit',
  maxConcurrency: 'wfsMaxConcurrency',
} as const satisfies Record<string, keyof Config>;

type LimitKey = (typeof limitKeys)[keyof typeof limitKeys];
type UpstreamKey = 'wfsUrl' | 'wfsApikeyIn' | 'wfsApikey' | 'wfsReferer' | 'wfsAxisOrder' | 'oauth';

/** One upstream, and the API over it at `/api/NAME`. */
export interface ModuleConfig extends Pick<Config, LimitKey | UpstreamKey> {
  readonly name: string;
  readonly title: string;
  readonly description?: string;
  readonly example?: Example;
}

export interface Settings {
  readonly config: Config;
  /** At least one, each with a name of its own. */
  readonly modules: readonly ModuleConfig[];
  /** Variables that are set, and describe the one upstream of a service without a modules file: nothing uses them. */
  readonly unused: readonly string[];
}

/** Variables of a single upstream: the modules of a file take nothing of them, a key least of all. */
const upstreamVariables = [
  'WFS_URL',
  'WFS_APIKEY_IN',
  'WFS_APIKEY',
  'WFS_REFERER',
  'WFS_AXIS_ORDER',
  ...oauthVariables,
];

const aloneTitle = 'API Carto WFS-Géoportail';

const expected = (text: string) => (issue: { readonly input?: unknown }) =>
  issue.input === undefined ? 'is required' : text;

const text = z.string({ error: expected('must be a text') }).trim();

/** What the variable takes, by the same grammar. */
const like = <K extends keyof typeof variables>(name: K) =>
  text.pipe(variables[name].read as unknown as z.ZodType<z.output<(typeof variables)[K]['read']>, string>);

const line = text.pipe(z.string().regex(/^\P{Cc}+$/u, 'must be one line of text'));

/** Two ways to write several places: as the variable does, or as a list. */
const places = z.preprocess(
  (value) => (Array.isArray(value) ? value.join(',') : value),
  like('WFS_APIKEY_IN'),
);

const degrees = (max: number) =>
  text.transform((given, context) => {
    const number = /^[+-]?\d{1,3}(\.\d{1,20})?$/.test(given) ? Number(given) : Number.NaN;
    if (Math.abs(number) <= max) return number;
    context.addIssue({ code: 'custom', message: `must be a number from -${max} to ${max}` });
    return z.NEVER;
  });

const exampleSchema = z.strictObject(
  {
    source: line,
    position: z.tuple([degrees(180), degrees(90)], 'must be longitude and latitude in degrees').optional(),
    attributes: z
      .record(
        z.string(),
        z.union([text, z.array(text)], 'must be a text or a list of texts'),
        'must be a mapping',
      )
      .optional(),
  },
  { error: expected('must be a mapping') },
);

const limitsSchema = z.strictObject(
  {
    limitMax: like('LIMIT_MAX').optional(),
    bodyLimit: like('BODY_LIMIT').optional(),
    geomMaxVertices: like('GEOM_MAX_VERTICES').optional(),
    localScanMaxFeatures: like('LOCAL_SCAN_MAX_FEATURES').optional(),
    maxResponseBytes: like('WFS_MAX_RESPONSE_BYTES').optional(),
    responseTimeoutMs: like('WFS_RESPONSE_TIMEOUT_MS').optional(),
    idleTimeoutMs: like('WFS_IDLE_TIMEOUT_MS').optional(),
    requestDeadlineMs: like('REQUEST_DEADLINE_MS').optional(),
    countTimeoutMs: like('COUNT_TIMEOUT_MS').optional(),
    rateLimit: like('WFS_RATE_LIMIT').optional(),
    maxConcurrency: like('WFS_MAX_CONCURRENCY').optional(),
  } satisfies Record<keyof typeof limitKeys, z.ZodType>,
  { error: expected('must be a mapping') },
);

const oauthSchema = z.strictObject(
  {
    file: like('WFS_OAUTH_FILE'),
    clientId: like('WFS_OAUTH_CLIENT_ID'),
    clientSecret: like('WFS_OAUTH_CLIENT_SECRET').optional(),
    authentication: like('WFS_OAUTH_AUTHENTICATION').optional(),
    authorizeUrl: like('WFS_OAUTH_AUTHORIZE_URL').optional(),
    tokenUrl: like('WFS_OAUTH_TOKEN_URL').optional(),
    redirectUri: like('WFS_OAUTH_REDIRECT_URI'),
    scope: like('WFS_OAUTH_SCOPE').optional(),
  },
  { error: expected('must be a mapping') },
);

/** Express reads paths without regard to case, and `/api/doc` is taken. */
const name = text.pipe(
  z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'must be small letters, digits, - and _, at most 63')
    .refine((given) => given !== 'doc', 'must not be doc, where the documentation is'),
);

const moduleSchema = z
  .strictObject(
    {
      name,
      title: line.optional(),
      description: text.optional(),
      url: like('WFS_URL'),
      apikeyIn: places.optional(),
      apikey: like('WFS_APIKEY').optional(),
      oauth: oauthSchema.optional(),
      referer: like('WFS_REFERER').optional(),
      axisOrder: like('WFS_AXIS_ORDER').optional(),
      limits: limitsSchema.optional(),
      example: exampleSchema.optional(),
    },
    { error: expected('must be a mapping') },
  )
  .check(({ value, issues }) => {
    const { url, apikeyIn, apikey, oauth } = value;
    if (oauth !== undefined) {
      const names = { account: 'oauth', authentication: 'authentication' };
      for (const { part, message } of readAccountFaults({ url, apikey, ...oauth }, names)) {
        const path = part === 'url' || part === 'apikey' ? [part] : ['oauth', part];
        issues.push({ code: 'custom', path, message, input: '' });
      }
    }
    const fault = apikeyIn && readPathFault(url, apikeyIn, 'url');
    if (fault) issues.push({ code: 'custom', path: ['apikeyIn'], message: fault, input: '' });
    const hasPlace = url.includes('{apikey}') || (apikeyIn !== undefined && apikeyIn.length > 0);
    if (apikey === undefined || hasPlace) return;
    const message = 'is never sent: apikeyIn names no place for it';
    issues.push({ code: 'custom', path: ['apikey'], message, input: '' });
  });

type Module = z.output<typeof moduleSchema>;

const fileSchema = z.strictObject(
  {
    modules: z
      .array(moduleSchema, { error: expected('must be a list') })
      .min(1, 'must hold one module at least'),
  },
  { error: expected('must be a mapping with modules') },
);

function toUnknownText(key: string, path: Path): string {
  const schema =
    path.length === 0
      ? fileSchema
      : { limits: limitsSchema, example: exampleSchema, oauth: oauthSchema }[String(path.at(-1))];
  const known = Object.keys((schema ?? moduleSchema).shape);
  return `is no setting${key === '' ? ' and has no name' : ''}; those are ${known.join(', ')}`;
}

function toIssues({ issues }: z.ZodError): FileFault[] {
  return issues.flatMap((issue) => {
    const path = issue.path as Path;
    if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }];
    return issue.keys.map((key) => ({ path: [...path, key], message: toUnknownText(key, path) }));
  });
}

/** Of the file as it was written: told also where something else is wrong. */
function toRepeated(file: unknown): FileFault[] {
  const { modules } = (file ?? {}) as { modules?: unknown };
  const names = Array.isArray(modules) ? modules.map((module) => module?.name?.trim?.()) : [];
  return names.flatMap((given, i) => {
    const first = names.indexOf(given);
    if (given === undefined || first === i) return [];
    return [{ path: ['modules', i, 'name'], message: `is the name of modules[${first}] already` }];
  });
}

const optional = <K extends string, T>(key: K, given: T | undefined) =>
  (given === undefined ? {} : { [key]: given }) as { readonly [P in K]?: T };

/** Limits are the environment's where the file says nothing; all that is the upstream's own comes from the file alone. */
function toModuleConfig(module: Module, config: Config): ModuleConfig {
  const limits = Object.entries(limitKeys).map(([key, inherited]) => [
    inherited,
    module.limits?.[key as keyof typeof limitKeys] ?? config[inherited],
  ]);
  const isInPath = module.url.includes('{apikey}');
  return {
    ...(Object.fromEntries(limits) as Pick<Config, LimitKey>),
    name: module.name,
    title: module.title ?? module.name,
    ...optional('description', module.description),
    ...optional('example', module.example as Example | undefined),
    wfsUrl: module.url,
    wfsApikeyIn: module.apikeyIn ?? (isInPath ? [{ in: 'path' as const }] : []),
    ...optional('wfsApikey', module.apikey),
    ...optional('oauth', module.oauth && toOAuthSettings(module.oauth, module.url)),
    ...optional('wfsReferer', module.referer),
    wfsAxisOrder: module.axisOrder ?? 'auto',
  };
}

function checkFile(file: unknown): { value?: readonly Module[]; faults: readonly FileFault[] } {
  const read = fileSchema.safeParse(file);
  const repeated = toRepeated(file);
  return read.success
    ? { value: read.data.modules, faults: repeated }
    : { faults: [...toIssues(read.error), ...repeated] };
}

function readFaults<T>(read: () => T): { value?: T; faults: readonly Fault[] } {
  try {
    return { value: read(), faults: [] };
  } catch (error) {
    if (error instanceof ConfigError) return { faults: error.faults };
    throw error;
  }
}

function readText(path: string, readFile: (path: string) => string): string {
  try {
    return readFile(path);
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new ConfigError([{ variable: 'WFS_MODULES_FILE', message: `cannot be read (${code})` }]);
  }
}

/**
 * Reads the environment and, where it names one, the modules file; without it the one module is `wfs-geoportail`, over
 * `WFS_URL`.
 * @throws ConfigError with every fault of both at once
 */
export function loadSettings(env: Environment, readFile: (path: string) => string): Settings {
  const environment = readFaults(() => loadConfig(env));
  const path = env.WFS_MODULES_FILE?.trim();
  const file = readFaults(() =>
    path ? readSettingsFile({ path, text: readText(path, readFile) }, env, checkFile) : undefined,
  );
  const faults = [...environment.faults, ...file.faults];
  const config = environment.value;
  if (faults.length > 0 || config === undefined) throw new ConfigError(faults);
  if (file.value === undefined) {
    return { config, modules: [{ ...config, name: 'wfs-geoportail', title: aloneTitle }], unused: [] };
  }
  const { value: modules, referred } = file.value;
  return {
    config,
    modules: modules.map((module) => Object.freeze(toModuleConfig(module, config))),
    unused: upstreamVariables.filter((variable) => env[variable]?.trim() && !referred.has(variable)),
  };
}
