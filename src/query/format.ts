/** The names of what features can be written as, the default first. */
export const formats = ['geojson', 'json', 'geojsonseq', 'csv', 'csv-centroid', 'flatgeobuf'] as const;
export type Format = (typeof formats)[number];
