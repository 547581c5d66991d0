import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** The servers of the lab. Their URLs travel from jest's global setup to the tests through the environment. */
export interface Lab {
  readonly folder: string;
  /** MapServer over PostGIS. */
  readonly mapserver: string;
  /** The same layers, never more than `CAP` features an answer, and no word of it. */
  readonly capped: string;
  /** QGIS Server over GeoPackage. */
  readonly qgis: string;
}

export const CAP = 500;

/** The lab that the global setup started. */
export function toLab(): Lab {
  const lab = process.env.CARTO_WFS_LAB;
  if (lab === undefined) throw new Error('the lab is started by the global setup of `npm run test:servers`');
  return JSON.parse(lab) as Lab;
}

const connection = () => `host=${join(toLab().folder, 'pg')} dbname=lab user=${isRoot ? 'postgres' : ''}`;
const isRoot = process.getuid?.() === 0;

/** Runs one SELECT on PostGIS itself; its rows as JSON. */
export function sql<Row>(select: string): Row[] {
  const statement = `select coalesce(json_agg(x), '[]') from (${select}) x;`;
  const output = execFileSync('psql', ['-qAtX', '-v', 'ON_ERROR_STOP=1', '-d', connection(), '-f', '-'], {
    input: statement,
    env: { ...process.env, PGOPTIONS: '-c jit=off -c max_parallel_workers_per_gather=0' }, // small tables: 3 times faster
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  return JSON.parse(output) as Row[];
}

/** One string column of a SELECT, as a list. */
export const sqlList = (select: string): string[] =>
  sql<{ v: string }>(`select v::text from (${select}) t(v)`).map((row) => row.v);

/** A text as an SQL literal. */
export const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/**
 * A layer as ogr2ogr writes it from PostGIS to GeoJSON (RFC 7946, all digits), through no WFS. `gid`, the table's key,
 * comes as one more property.
 */
export function toGeoJsonByOgr(layer: string): string {
  const args = ['-lco', 'RFC7946=YES', '-lco', 'COORDINATE_PRECISION=15', '-t_srs', 'EPSG:4326'];
  const select = ['-sql', `select t.*, gid as fid from ${layer} t order by gid`];
  return execFileSync('ogr2ogr', ['-f', 'GeoJSON', '/vsistdout/', `PG:${connection()}`, ...select, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
}

/** A free port: asked for and given back, for programs that want to be told one. */
export async function toFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
