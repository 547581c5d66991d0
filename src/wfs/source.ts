import type { Logger } from 'pino';
import { createRefreshing, type SharedValues } from '../cache/index.js';
import type { AxisOrder } from '../crs/index.js';
import { ServiceError, toMessage } from '../errors.js';
import type { FeatureType } from '../gml/index.js';
import { type UpstreamMetrics, uncountedUpstream } from '../metrics/index.js';
import type {
  Answer,
  Caller,
  FeatureBatch,
  FeatureSource,
  FeatureStep,
  PageEnd,
  SearchQuery,
  SourceDescription,
  SourceStatus,
  SourceSummary,
} from '../query/index.js';
import { createFeatures } from '../query/index.js';
import { Abort, follow, untilAborted } from '../signal.js';
import { createAbilities } from './abilities.js';
import { createAuthorizedTransport } from './account.js';
import { type AdmissionOptions, createAdmission } from './admission.js';
import type { Capabilities } from './capabilities.js';
import { Contradiction, createCheck } from './contradiction.js';
import { createDeadline } from './deadline.js';
import { type Asker, createDialogue } from './dialogue.js';
import { createExperience, type Experience } from './experience.js';
import { explain } from './explain.js';
import { isOpen, type KeyRule, type PlacedKey, toPlacedKey } from './keys.js';
import { type Heard, type Hint, type Learnt, learn, type Subject, toSettled, WORLD } from './learning.js';
import { createLessons } from './lessons.js';
import { toKnownTypeName, toLocalName, toNearestNames } from './names.js';
import { withShapeFirst } from './opendatasoft.js';
import { withOverlaps } from './overlap.js';
import { readPage } from './page.js';
import { inKnownWords, toPlan } from './plan.js';
import { createReachability } from './reachability.js';
import type { PageRequest } from './read.js';
import { createRedirecting } from './redirect.js';
import { createRetry } from './retry.js';
import { createTransport, type TransportOptions } from './transport.js';

export interface WfsOptions extends TransportOptions, AdmissionOptions {
  readonly keys: KeyRule;
  /** Both ways, for every layer; absent: learnt. */
  readonly axisOrder?: AxisOrder | undefined;
  readonly deadlineMs: number;
  readonly countTimeoutMs: number;
  readonly maxScanFeatures: number;
  readonly metrics?: UpstreamMetrics;
  /** What other processes over the same upstream learn, and are told. */
  readonly learning?: SharedValues | undefined;
}

const CAPABILITIES_FRESH_MS = 10 * 60_000;
const SCHEMA_FRESH_MS = 60 * 60_000;
const LEARNT_FRESH_MS = 6 * 60 * 60_000;
const UNCERTAIN_MS = 60_000;

/** A FeatureSource over one WFS 1.1.0: any layer of it, nothing configured but its URL. */
export function createWfsSource(options: WfsOptions, logger: Logger): FeatureSource & { close(): void } {
  const { account } = options.keys;
  /** Only then does the state of the upstream decide whether the service is ready. */
  const isKnowable = isOpen(options.keys);
  const { metrics = uncountedUpstream } = options;
  const admitted = createAdmission(createTransport(options), options, metrics);
  const reachability = createReachability(createAuthorizedTransport(createRedirecting(admitted)), () => {
    const typeName = isKnowable ? capabilities.peek('service')?.featureTypes[0]?.name : undefined;
    if (typeName === undefined) return undefined;
    const parameters = { service: 'WFS', version: '1.1.0', request: 'DescribeFeatureType', typeName };
    return { ...shared(toPlacedKey(options.keys, {})), parameters };
  });
  const { transport } = reachability;
  const abilities = createAbilities();
  const dialogue = createDialogue(
    transport,
    options.keys.places.length > 0 || account !== undefined,
    abilities,
    createRetry(metrics),
  );
  const capabilities = createRefreshing<Capabilities>({ max: 50, freshMs: CAPABILITIES_FRESH_MS });
  const types = createRefreshing<FeatureType>({ max: 2000, freshMs: SCHEMA_FRESH_MS });
  const learnt = createRefreshing<Learnt>({ max: 2000, freshMs: LEARNT_FRESH_MS });
  const hints = new Map<string, Hint>();
  /** How layers that told it are written, by the EPSG code of their answers. */
  const orders = new Map<number, AxisOrder>();
  const experiences = new Map<string, Experience>();
  let lastFault: string | undefined;
  const lessons = createLessons(options.learning);

  /** For work that is shared: it goes on when the caller who began it leaves. */
  const shared = (key: PlacedKey): Asker => ({
    key,
    signal: new Abort(),
    deadline: createDeadline(options.deadlineMs),
  });

  async function getCapabilities(key: PlacedKey): Promise<Capabilities> {
    return capabilities.get(key.identity, async () => {
      try {
        const read = await lessons.capabilities(key.identity, CAPABILITIES_FRESH_MS, () =>
          dialogue.getCapabilities(shared(key)),
        );
        lastFault = undefined;
        abilities.say(read);
        logger.info({ featureTypes: read.featureTypes.length }, 'capabilities read');
        return read;
      } catch (error) {
        if (isKnowable && !key.isCallers)
          lastFault = error instanceof ServiceError ? error.message : 'unknown';
        throw error;
      }
    });
  }

  /** Asks for the capabilities where that takes no caller's key, so that the state of the upstream is known. */
  function lookUp(): void {
    if (!isKnowable) return;
    getCapabilities(toPlacedKey(options.keys, {})).catch((error: unknown) => {
      logger.warn({ reason: (error as Error).message }, 'the upstream gives no capabilities');
    });
  }

  type Described = Subject & { readonly summary: SourceSummary };

  const toTypeKey = (typeName: string, { identity }: PlacedKey) => `${identity} ${typeName}`;

  const toSubject = ({ srsNames }: Capabilities, summary: SourceSummary, type: FeatureType): Described => ({
    typeName: summary.name,
    type,
    bbox: summary.bbox,
    crs: summary.crs,
    summary,
    srsNames: srsNames.get(summary.name) ?? [],
  });

  /** What nobody has to wait for: capabilities and schema have been read, and are fresh. */
  function toKnownSubject(source: string, key: PlacedKey): Described | undefined {
    const read = capabilities.fresh(key.identity);
    if (read === undefined) return undefined;
    const summary = toSummary(source, read);
    const type = summary && types.fresh(toTypeKey(summary.name, key));
    return type && toSubject(read, summary, type);
  }

  async function getSubject(source: string, key: PlacedKey): Promise<Described> {
    const read = await getCapabilities(key);
    const summary = toSummary(source, read);
    if (summary === undefined) throw sourceUnknown(source, toNames(read));
    const typeName = summary.name;
    const load = async () => {
      const read = await dialogue.describeFeatureType(typeName, shared(key));
      const found =
        read.find(({ name }) => name === toLocalName(typeName)) ?? read.find(({ name }) => name === typeName);
      if (found === undefined) {
        throw new ServiceError('upstreamUnusable', toMessage('wfs.schemaMissing', { source: typeName }));
      }
      return withShapeFirst(found);
    };
    const name = toTypeKey(typeName, key);
    const type = await types.get(name, () => lessons.schema(name, SCHEMA_FRESH_MS, load));
    return toSubject(read, summary, type);
  }

  /** Learnt once for all callers: it says how the server speaks, not what it holds. */
  function getLearnt(subject: Subject, key: PlacedKey): Promise<Learnt> {
    return learnt.get(subject.typeName, async () => {
      const { typeName } = subject;
      const asker = shared(key);
      const toKeepMs = (found: Learnt) => (found.isCertain ? LEARNT_FRESH_MS : UNCERTAIN_MS);
      const found = await lessons.layer(typeName, toKeepMs, abilities, async () => {
        const hint = { ...hints.get(typeName), elsewhere: orders };
        hints.delete(typeName);
        return learn({ subject, forced: options.axisOrder, hint, abilities, dialogue, asker });
      });
      logger.info({ typeName, ...found }, 'layer learnt');
      if (found.axisOrderFrom === 'features') orders.set(found.code, found.axisOrderOut);
      experiences.delete(typeName); // as old as what was learnt: caps and abilities change
      getExperience(typeName).delivered(found.sampled);
      await lessons.share(typeName, getExperience(typeName));
      if (found.isSortRefused === true) getExperience(typeName).sortRefused();
      if (found.isSortRefused === true && !found.isCertain) addHint(typeName, { isSortRefused: true });
      if (found.isSrsDoubtful === true) addHint(typeName, { isSrsDoubtful: true });
      if (found.isBlankAhead) addHint(typeName, { isBlankAhead: true });
      if (found.isMisread === true) addHint(typeName, { misread: abilities.spatialFilter });
      if (!found.isCertain) forgetSoon(typeName, found);
      return found;
    });
  }

  function addHint(typeName: string, hint: Hint): void {
    hints.set(typeName, { ...hints.get(typeName), ...hint });
  }

  /** What was learnt does not hold: it is learnt anew by whoever asks next. */
  function forget({ typeName }: Subject, known: Learnt, { isSwapped }: Contradiction): void {
    if (learnt.peek(typeName) !== known) return; // somebody has done so already
    logger.warn({ typeName }, 'layer learnt anew: an answer contradicts what was learnt');
    if (isSwapped) addHint(typeName, { axisOrderOut: known.axisOrderOut === 'latLon' ? 'lonLat' : 'latLon' });
    learnt.delete(typeName);
    lessons.forget(typeName);
  }

  /** What was still open has been told by an answer. */
  function settle(typeName: string, known: Learnt, heard: Heard): void {
    const settled = toSettled(known, heard);
    const isOfUse = settled.isCertain || heard === 'misread' || known.isSortUntold === true;
    if (learnt.peek(typeName) !== known || !isOfUse) return;
    if (settled.isCertain) hints.delete(typeName);
    if (heard === 'misread') addHint(typeName, { misread: known.spatialFilter });
    learnt.delete(typeName);
    learnt.get(typeName, async () => settled).catch(() => {});
    if (!settled.isCertain) forgetSoon(typeName, settled);
  }

  /** What is not certain is learnt anew by whoever asks later. */
  function forgetSoon(typeName: string, found: Learnt): void {
    setTimeout(() => learnt.peek(typeName) === found && learnt.delete(typeName), UNCERTAIN_MS).unref();
  }

  function getExperience(typeName: string): Experience {
    const known = experiences.get(typeName) ?? createExperience();
    experiences.set(typeName, known);
    return known;
  }

  /** A search made ready: checked against the schema, the layer learnt. */
  async function prepare(query: SearchQuery, caller: Caller) {
    const key = toPlacedKey(options.keys, caller.credentials, caller.address);
    const deadline = createDeadline(options.deadlineMs);
    const wait = <T>(work: Promise<T>) =>
      deadline.wait(untilAborted(work, caller.signal), Number.POSITIVE_INFINITY, 'wfs.noAnswer');
    const subject = toKnownSubject(query.source, key) ?? (await wait(getSubject(query.source, key)));
    const plan = toPlan(query, subject.type, subject.crs, subject.bbox);
    const check = createCheck(plan.unions, subject.bbox ?? WORLD);
    const leaving = follow(caller.signal);
    const toRequest = (known: Learnt): PageRequest => ({
      query,
      plan: inKnownWords(plan, getExperience(subject.typeName)),
      typeName: subject.typeName,
      type: subject.type,
      learnt: known,
      abilities,
      experience: getExperience(subject.typeName),
      dialogue,
      asker: { key, signal: leaving, deadline, trace: caller.trace },
      countTimeoutMs: options.countTimeoutMs,
      maxScanFeatures: options.maxScanFeatures,
      check,
      settle: (heard) => settle(subject.typeName, known, heard),
      faults: new Map(),
      warnings: [],
    });
    return {
      key,
      subject,
      toRequest,
      know: () => learnt.fresh(subject.typeName) ?? wait(getLearnt(subject, key)),
      leave: () => leaving.abort(),
    };
  }

  async function search(query: SearchQuery, caller: Caller): Promise<Answer> {
    const { key, subject, toRequest, know, leave } = await prepare(query, caller);
    const ask = async (known: Learnt) => {
      const read = readPage(toRequest(known));
      const page = query.overlap ? withOverlaps(read, query) : read;
      const first = await page.next();
      return resume(first, page, { leave, toFault: (error) => toLateFault(error, subject, known) });
    };
    const learnAnew = (known: Learnt, error: unknown) => {
      if (!(error instanceof Contradiction)) throw error;
      forget(subject, known, error);
      return know();
    };
    const askAnew = async (known: Learnt) => {
      try {
        return await ask(known);
      } catch (error) {
        if (!(error instanceof Contradiction)) throw error;
        // whatever its filters do: the layer is read, and compared here
        return ask({ ...(await know()), spatialFilter: 'none' });
      }
    };
    const found = know();
    const known = found instanceof Promise ? await found : found;
    try {
      return { isPrivate: key.isCallers, features: await ask(known) };
    } catch (error) {
      const features = await askAnew(await learnAnew(known, error)).catch((again: unknown) => {
        throw again instanceof Contradiction ? contradictory(subject) : again;
      });
      return { isPrivate: key.isCallers, features };
    }
  }

  /** Behind the first feature nothing can be asked anew: the layer is learnt anew for the next who asks. */
  function toLateFault(error: unknown, subject: Subject, known: Learnt): unknown {
    if (!(error instanceof Contradiction)) return error;
    forget(subject, known, error);
    return contradictory(subject);
  }

  return {
    async list(caller) {
      const key = toPlacedKey(options.keys, caller.credentials, caller.address);
      const { service, featureTypes } = await untilAborted(getCapabilities(key), caller.signal);
      return { ...service, sources: featureTypes };
    },

    async describe(source, caller): Promise<SourceDescription> {
      const key = toPlacedKey(options.keys, caller.credentials, caller.address);
      const { type, summary, typeName, srsNames } = await untilAborted(
        getSubject(source, key),
        caller.signal,
      );
      const [geometry] = type.geometries;
      const known = learnt.peek(typeName);
      return {
        ...summary,
        attributes: type.attributes,
        ...(geometry && { geometry }),
        ...(known && {
          upstream: { ...abilities.describe(), ...known, ...getExperience(typeName).describe(), srsNames },
        }),
      };
    },

    search,

    async explain(query, caller) {
      const { key, toRequest, know } = await prepare(query, caller);
      return explain(toRequest(await know()), toShownUrl(options.url, Object.keys(key.parameters)));
    },

    status(): SourceStatus {
      const read = capabilities.peek('service');
      if (read === undefined) lookUp();
      else reachability.check();
      const fault = read === undefined ? lastFault : reachability.fault;
      const authorized = account?.status();
      return {
        isReady: (!isKnowable || fault === undefined) && authorized?.isReady !== false,
        detail: {
          capabilities: read !== undefined ? 'read' : (lastFault ?? 'not read yet'),
          upstream: reachability.lastFault ?? 'answers',
          ...(read !== undefined && { sources: read.featureTypes.length }),
          ...(authorized && { account: authorized.detail }),
        },
      };
    },

    close() {
      lessons.close();
      transport.close();
    },
  };
}

function contradictory({ typeName }: Subject): ServiceError {
  return new ServiceError('upstreamUnusable', toMessage('wfs.contradictory', { source: typeName }));
}

const toNames = ({ featureTypes }: Capabilities) => featureTypes.map(({ name }) => name);

const summaries = new WeakMap<Capabilities, ReadonlyMap<string, SourceSummary>>();

/** The layer that is meant: thousands are not looked through for one that is called as it calls itself. */
function toSummary(source: string, read: Capabilities): SourceSummary | undefined {
  const byName = summaries.get(read) ?? new Map(read.featureTypes.map((summary) => [summary.name, summary]));
  summaries.set(read, byName);
  return byName.get(source) ?? byName.get(toKnownTypeName(source, toNames(read)) ?? '');
}

function sourceUnknown(source: string, names: readonly string[]): ServiceError {
  const nearest = toNearestNames(source, names);
  const hint = nearest.length === 0 ? '' : toMessage('wfs.nearest', { names: nearest.join(', ') });
  const message = toMessage('wfs.sourceUnknown', { source: source.slice(0, 200), nearest: hint });
  return new ServiceError('notFound', message, { faults: [{ parameter: 'source', message }] });
}

/** The upstream's address without what opens it: keys are shown as there, by the names of their parameters. */
function toShownUrl(url: string, keyNames: readonly string[]): string {
  const shown = new URL(url.replaceAll('{apikey}', '***'));
  shown.username = '';
  shown.password = '';
  for (const name of keyNames) shown.searchParams.set(name, '***');
  for (const name of [...shown.searchParams.keys()]) {
    if (/key|token|secret|pass|pwd|auth|sig/i.test(name)) shown.searchParams.set(name, '***');
  }
  return shown.href;
}

/**
 * The generator whose first step has been taken: one that was never begun would leave the upstream request open when it is
 * ended. Ending it aborts every request under way for it.
 */
function resume(
  first: FeatureStep,
  rest: AsyncGenerator<FeatureBatch, PageEnd, void>,
  { leave, toFault }: { leave(): void; toFault(error: unknown): unknown },
): Answer['features'] {
  let pending: FeatureStep | undefined = first;
  const fail = (error: unknown) => {
    throw toFault(error);
  };
  const next = () => {
    const known = pending;
    pending = undefined;
    return known === undefined ? rest.next().catch(fail) : Promise.resolve(known);
  };
  return createFeatures(next, () => {
    leave();
    return rest.return(undefined as never);
  });
}
