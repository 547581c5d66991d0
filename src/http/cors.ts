/** The caller's own key comes in a header, never as a cookie: any origin may ask, none with credentials. */
export const corsOptions = {
  origin: '*',
  methods: 'GET,HEAD,POST',
  allowedHeaders: 'apikey,authorization,content-type,if-none-match',
  exposedHeaders: 'etag,retry-after,link,x-request-id',
  maxAge: 86_400,
  optionsSuccessStatus: 204,
} as const;

/** The same for an answer that Express has no part in. */
export const corsResponseHeaders = {
  'Access-Control-Allow-Origin': corsOptions.origin,
  'Access-Control-Expose-Headers': corsOptions.exposedHeaders,
} as const;
