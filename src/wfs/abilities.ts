import type { Capabilities } from './capabilities.js';

/** The nearest to an intersection that the upstream can be asked for; `none`: it reads no filters. */
export type SpatialFilter = 'Intersects' | 'BBOX' | 'none';

export type BoxOperator = 'BBOX' | 'Intersects';

/**
 * What one upstream can be asked for, whatever the layer: what its capabilities say, corrected by what it answered. Only
 * what was seen to fail is left out; what is not known is tried.
 */
export interface Abilities {
  /** Capabilities were read; a document that is read anew hours later puts every ability to the test again. */
  say(
    capabilities: Pick<
      Capabilities,
      'version' | 'spatialOperators' | 'geometryOperands' | 'getFeatureMethods'
    >,
  ): void;
  /** Where an operator is refused, the next weaker one. */
  weakerThan(operator: SpatialFilter): SpatialFilter;
  readonly spatialFilter: SpatialFilter;
  /** What a box alone may be asked for by; an Envelope can be given to Intersects too. */
  readonly boxOperator: BoxOperator | undefined;
  /** Whether polygons of filters were seen to be read, on whichever layer. */
  readonly isPosListRead: boolean;
  readonly attributeFilters: boolean;
  readonly method: 'POST' | 'GET';
  /** Whether the CRS of an answer can be asked for. */
  readonly srsName: boolean;
  /**
   * Whether it can be one that the layer is not offered in: GeoServer and QGIS Server know it, MapServer refuses it;
   * undefined: not seen yet.
   */
  readonly unlistedSrs: boolean | undefined;
  /** Undefined: not seen yet. */
  readonly startIndex: boolean | undefined;
  /** Whether Multi* geometries of filters are understood; undefined: not seen yet. */
  readonly multiGeometry: boolean | undefined;
  /** The upstream was seen to lack it. */
  lack(ability: Lacking): void;
  unlistedSrsWorks(): void;
  startIndexWorks(): void;
  multiGeometryWorks(): void;
  posListWorks(): void;
  /** A filter of so many positions was answered after so long. */
  took(vertices: number, milliseconds: number): void;
  /** Whether a filter of so many positions would take this upstream too long; undefined: nothing to go by. */
  isTooHeavy(vertices: number): boolean | undefined;
  /** What was seen so far, for other processes; plain JSON. */
  seen(): SeenAbilities;
  /** What another process has seen of the same upstream. */
  adopt(seen: SeenAbilities): void;
  /** Plain JSON, for people. */
  describe(): Record<string, unknown>;
}

export interface SeenAbilities {
  readonly lacking: readonly Lacking[];
  readonly hasTransformed: boolean;
  readonly hasPaged: boolean;
  readonly hasReadMulti: boolean;
  readonly hasReadPosList: boolean;
}

export type Lacking = 'POST' | 'srsName' | 'unlistedSrs' | 'startIndex' | 'multiGeometry';

const TRUSTED_MS = 6 * 60 * 60_000;
/** Positions that no server measured takes long for. */
const FEW_VERTICES = 1000;
const TOO_LONG_MS = 5000;

export function createAbilities(now: () => number = Date.now): Abilities {
  let lacking = new Set<Lacking>();
  let listed: readonly string[] | undefined;
  let operands: readonly string[] = [];
  let said: Record<string, unknown> = {};
  let since = now();
  let hasTransformed = false;
  let hasPaged = false;
  let hasReadMulti = false;
  let hasReadPosList = false;
  let heaviest: { vertices: number; milliseconds: number } | undefined;
  const can = (ability: Lacking) => !lacking.has(ability);
  // Opendatasoft: a WFS that refuses srsName and lists no filter reads none
  const readsFilters = () => can('srsName') || listed !== undefined;

  const abilities: Abilities = {
    say({ version, spatialOperators, geometryOperands, getFeatureMethods }) {
      said = {
        ...(version !== undefined && { version }),
        ...(geometryOperands !== undefined && { geometryOperands }),
      };
      if (now() - since > TRUSTED_MS) {
        lacking = new Set();
        hasTransformed = false;
        hasPaged = false;
        hasReadMulti = false;
        hasReadPosList = false;
        heaviest = undefined;
        since = now();
      }
      listed = spatialOperators;
      operands = geometryOperands ?? [];
      if (getFeatureMethods.includes('GET') && !getFeatureMethods.includes('POST')) lacking.add('POST');
    },
    get spatialFilter() {
      if (!readsFilters()) return 'none';
      return listed === undefined || listed.includes('Intersects')
        ? 'Intersects'
        : abilities.weakerThan('Intersects');
    },
    weakerThan: (operator) => (operator === 'Intersects' && listed?.includes('BBOX') ? 'BBOX' : 'none'),
    get boxOperator() {
      if (listed?.includes('BBOX')) return 'BBOX';
      return listed?.includes('Intersects') && operands.includes('Envelope') ? 'Intersects' : undefined;
    },
    get isPosListRead() {
      return hasReadPosList;
    },
    get attributeFilters() {
      return readsFilters();
    },
    get method() {
      return can('POST') ? 'POST' : 'GET';
    },
    get srsName() {
      return can('srsName');
    },
    get unlistedSrs() {
      return can('srsName') && can('unlistedSrs') ? hasTransformed || undefined : false;
    },
    get startIndex() {
      return can('startIndex') ? hasPaged || undefined : false;
    },
    get multiGeometry() {
      return can('multiGeometry') ? hasReadMulti || undefined : false;
    },
    lack: (ability) => void lacking.add(ability),
    unlistedSrsWorks() {
      hasTransformed = true;
    },
    startIndexWorks() {
      hasPaged = true;
    },
    multiGeometryWorks() {
      hasReadMulti = true;
    },
    posListWorks() {
      hasReadPosList = true;
    },
    took(vertices, milliseconds) {
      if (vertices < FEW_VERTICES / 2) return;
      if (heaviest === undefined || vertices >= heaviest.vertices || milliseconds > heaviest.milliseconds) {
        heaviest = { vertices, milliseconds };
      }
    },
    isTooHeavy(vertices) {
      if (vertices <= FEW_VERTICES) return false;
      if (heaviest === undefined) return undefined;
      // QGIS Server 3.22 takes 44 s for 10,000 positions: more than in proportion
      return heaviest.milliseconds * Math.max(1, vertices / heaviest.vertices) ** 2 > TOO_LONG_MS;
    },
    seen: () => ({ lacking: [...lacking], hasTransformed, hasPaged, hasReadMulti, hasReadPosList }),
    adopt(seen) {
      lacking = new Set([...lacking, ...seen.lacking]);
      hasTransformed ||= seen.hasTransformed;
      hasPaged ||= seen.hasPaged;
      hasReadMulti ||= seen.hasReadMulti;
      hasReadPosList ||= seen.hasReadPosList;
    },
    describe: () => ({
      spatialFilter: abilities.spatialFilter,
      attributeFilters: abilities.attributeFilters,
      method: abilities.method,
      srsName: abilities.srsName,
      ...(abilities.unlistedSrs !== undefined && { unlistedSrs: abilities.unlistedSrs }),
      ...(abilities.startIndex !== undefined && { startIndex: abilities.startIndex }),
      ...(abilities.multiGeometry !== undefined && { multiGeometry: abilities.multiGeometry }),
      ...(listed !== undefined && { spatialOperators: listed }),
      ...said,
    }),
  };
  return abilities;
}
