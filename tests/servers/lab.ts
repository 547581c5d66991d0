import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** The servers of the lab. Their URLs travel from jest's global setup to the tests through the environment. */
export interface Lab {
  readonly folder: string;
  /** MapServer over PostGIS. */
  readonly mapserver: string;
  /** The same layers in a namespace of their own, without parallel scans. */
  readonly cadastre: string;
  /** The same layers, never more than `CAP` features an answer, and no word of it. */
  readonly capped: string;
  /** The same layers, offered in Lambert-93 alone. */
  readonly lambert: string;
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

// PostgreSQL belongs to the user postgres where root started it, else to whoever did.
const connection = () =>
  `host=${join(toLab().folder, 'pg')} dbname=lab${process.getuid?.() === 0 ? ' user=postgres' : ''}`;

/** Runs one SELECT on PostGIS itself; its rows as JSON. */
export async function sql<Row>(select: string): Promise<Row[]> {
  const statement = `select coalesce(json_agg(x), '[]') from (${select}) x;`;
  const args = ['-qAtX', '-v', 'ON_ERROR_STOP=1', '-d', connection(), '-f', '-'];
  return JSON.parse(await run('psql', args, statement)) as Row[];
}

/** One string column of a SELECT, as a list. */
export const sqlList = async (select: string): Promise<string[]> =>
  (await sql<{ v: string }>(`select v::text from (${select}) t(v)`)).map((row) => row.v);

/** A text as an SQL literal. */
export const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/**
 * A layer as ogr2ogr writes it from PostGIS to GeoJSON (RFC 7946, all digits), through no WFS. The table's key comes
 * twice, as `gid` and as `fid`.
 */
export function toGeoJsonByOgr(layer: string): Promise<string> {
  const options = ['-lco', 'RFC7946=YES', '-lco', 'COORDINATE_PRECISION=15', '-t_srs', 'EPSG:4326'];
  const select = ['-sql', `select t.*, gid as fid from ${layer} t order by gid`];
  return run('ogr2ogr', ['-f', 'GeoJSON', '/vsistdout/', `PG:${connection()}`, ...select, ...options]);
}

/** Never waits in the event loop: a connection that the service closes meanwhile must be noticed. */
function run(command: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      args,
      // Small tables: three times faster than by parallel scans.
      {
        maxBuffer: 1 << 28,
        env: { ...process.env, PGOPTIONS: '-c max_parallel_workers_per_gather=0' },
      },
      (error, stdout) => (error === null ? resolve(stdout) : reject(error)),
    );
    child.stdin?.end(input);
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
