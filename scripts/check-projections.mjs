// For scripts/make-crs-tables.py: how far src/crs is from PROJ. Reads {code: [[lon, lat, x, y, lon2, lat2], ...]}, where
// PROJ took lon and lat to x and y, and these to lon2 and lat2; writes {code: metres at worst, or null if unknown}.
import { text } from 'node:stream/consumers';
import { createProjection } from '../src/crs/index.ts';

const METRES_PER_DEGREE = 111_320;

function metresBetween([lon1, lat1], [lon2, lat2]) {
  const dLon = (((lon1 - lon2 + 540) % 360) - 180) * Math.cos((lat1 * Math.PI) / 180);
  return Math.hypot(dLon, lat1 - lat2) * METRES_PER_DEGREE;
}

function worstOf(code, rows) {
  const projection = createProjection(code);
  if (projection === undefined) return null;
  let worst = 0;
  for (const [lon, lat, x, y, lon2, lat2] of rows) {
    // What PROJ makes of the position found here must be x and y too, said in degrees by way of its inverse.
    const [x2, y2] = projection.fromLonLat(lon, lat);
    const off = [
      metresBetween(projection.toLonLat(x, y), [lon2, lat2]),
      metresBetween(projection.toLonLat(x2, y2), [lon2, lat2]),
    ];
    for (const metres of off) if (!(metres <= worst)) worst = metres;
  }
  return Number.isFinite(worst) ? worst : 1e9;
}

const rows = JSON.parse(await text(process.stdin));
process.stdout.write(
  JSON.stringify(Object.fromEntries(Object.entries(rows).map(([code, of]) => [code, worstOf(code, of)]))),
);
