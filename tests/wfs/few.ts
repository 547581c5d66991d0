import { createLayer, type Layer } from '../../src/demo/index.js';
import type { Geometry } from '../../src/geometry/index.js';
import { firstPosition, parcels } from './embedded.js';

/** Where the first parcel begins. */
export const [lon, lat] = firstPosition(parcels.features[0]?.geometry);

const toDistance = ({ geometry }: Layer['features'][number]) => {
  const [x, y] = firstPosition(geometry);
  return Math.hypot(x - lon, y - lat);
};

/** A hundred parcels side by side, the nearest to the first: small enough to be read whole, again and again. */
export const few: Layer = createLayer(
  { ...parcels },
  parcels.features
    .slice(0, 1000)
    .sort((one, other) => toDistance(one) - toDistance(other))
    .slice(0, 100),
);

/** Around some of them. */
export const triangle: Geometry = {
  type: 'Polygon',
  coordinates: [
    [
      [lon, lat],
      [lon + 0.004, lat],
      [lon, lat + 0.004],
      [lon, lat],
    ],
  ],
};
