// Who may import whom. Every room may use errors, signal and roster; all else not listed here is a fault.
const rooms = {
  // of config, only types: `npm run check:imports` looks for that too
  http: ['query', 'formats', 'limits', 'metrics', 'config'],
  answers: ['query', 'cache', 'limits', 'metrics'],
  wfs: ['query', 'gml', 'crs', 'geometry', 'formats', 'cache', 'limits', 'metrics', 'oauth'],
  query: ['geometry'],
  formats: ['geometry'],
  gml: ['crs'],
  limits: ['cache'],
  oauth: ['cache'],
  cli: ['config', 'oauth', 'gml', 'formats', 'crs'],
  demo: ['geometry'],
  explorer: ['client'],
  client: [],
  geometry: [],
  crs: [],
  cache: [],
  workers: ['cache'],
  metrics: [],
  config: [],
  errors: [],
  signal: [],
  roster: [],
};
const place = (room) => `^src/${room}(/|[.])`;
module.exports = {
  forbidden: [
    ...Object.entries(rooms).map(([room, allowed]) => ({
      name: `${room}-imports`,
      severity: 'error',
      from: { path: place(room) },
      to: { path: '^src/', pathNot: [room, 'errors', 'signal', 'roster', ...allowed].map(place) },
    })),
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'axios-lives-in-wfs',
      severity: 'error',
      from: { path: '^src/', pathNot: place('wfs') },
      to: { path: 'node_modules/axios' },
    },
    {
      name: 'redis-lives-in-one-file',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cache/redis[.]ts$' },
      to: { path: 'node_modules/ioredis' },
    },
    {
      name: 'turf-lives-in-geometry',
      severity: 'error',
      from: { path: '^src/', pathNot: place('geometry') },
      to: { path: 'node_modules/@turf' },
    },
    {
      name: 'express-lives-in-http',
      severity: 'error',
      from: { path: '^src/', pathNot: place('http') },
      to: { path: 'node_modules/express' },
    },
    {
      name: 'gml-knows-no-io',
      severity: 'error',
      from: { path: place('gml') },
      to: { dependencyTypes: ['core'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    parser: 'swc',
  },
};
