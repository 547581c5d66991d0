import type { Request, RequestHandler, Response } from 'express';
import { middleware } from 'express-openapi-validator';
import { type Fault, invalidRequest, ServiceError, toMessage } from '../errors.js';
import type { RawParameter } from '../query/index.js';
import type { OpenApiDocument } from './openapi.js';
import { toRecord } from './parameters.js';

/** What the OpenAPI document has against a request; empty: nothing. */
export type RequestValidator = (
  req: Request,
  parameters: readonly RawParameter[],
) => Promise<readonly Fault[]>;

interface ValidatorError {
  readonly status?: number;
  readonly errors?: readonly { readonly path?: string; readonly message: string }[];
}

/**
 * Reads a request with `read`; all faults of form in one answer: those of our own reading, and what the document
 * refuses beyond them.
 * @throws invalidRequest
 */
export function readChecked<T>(read: () => T, byDocument: readonly Fault[]): T {
  let faults: readonly Fault[] = [];
  try {
    const result = read();
    if (byDocument.length === 0) return result;
  } catch (error) {
    if (!(error instanceof ServiceError) || error.kind !== 'invalidRequest') throw error;
    faults = error.faults;
  }
  const named = new Set(faults.map(({ parameter }) => parameter));
  throw invalidRequest([...faults, ...byDocument.filter(({ parameter }) => !named.has(parameter))]);
}

/** The validator reports `/query/_limit` or `/body/geom/coordinates`: parameter, and pointer inside it. */
function toFault({ path = '', message }: { path?: string; message: string }): Fault {
  const [, , parameter, ...rest] = path.split('/');
  const pointer = rest.length > 0 ? { pointer: `/${rest.join('/')}` } : {};
  const where = parameter === undefined ? {} : { parameter };
  return { ...where, ...pointer, message: toMessage('http.againstDocument', { message }) };
}

/** Where a value fits none of several schemas, each of them complains: the one that got furthest knows most. */
function toDeepest(faults: readonly Fault[]): Fault[] {
  const deepest = new Map<string | undefined, Fault>();
  for (const fault of faults) {
    const known = deepest.get(fault.parameter);
    const isDeeper = (fault.pointer ?? '').length > (known?.pointer ?? '').length;
    if (known === undefined || isDeeper) deepest.set(fault.parameter, fault);
  }
  return [...deepest.values()];
}

/** An operation of the document, as the validator finds it. */
interface Operation {
  readonly schema: { readonly parameters?: readonly { readonly schema?: { readonly type?: unknown } }[] };
}

/** Where the validator leaves the operation that a request is. */
type Shadow = Request & { openapi: Operation | undefined };

/**
 * The validator coerces and rewrites what it looks at, and wants each parameter once: it is given a shadow of the
 * request, with the parameters as they were read. An object of its own, not one made from the request: that would make
 * a prototype of it, and every later look at it slow.
 */
function toShadow(req: Request, parameters: readonly RawParameter[]): Shadow {
  const body = toRecord(parameters, ['json', 'form']);
  const hasBody = Object.keys(body).length > 0;
  const shadow = {
    app: req.app,
    baseUrl: req.baseUrl,
    path: req.path,
    originalUrl: toPath(req),
    method: req.method === 'HEAD' ? 'GET' : req.method,
    query: toRecord(parameters, ['query']),
    headers: hasBody ? { 'content-type': req.headers['content-type'] } : {},
    params: {},
    body: hasBody ? body : undefined,
    openapi: undefined,
  };
  return shadow as unknown as Shadow;
}

const toPath = ({ originalUrl }: Request): string => originalUrl.split('?', 1)[0] ?? '';

/** One handler after the other, as Express would. The validator's catch what they throw, and give it to `done`. */
function run(
  [handler, ...others]: readonly RequestHandler[],
  req: Request,
  res: Response,
  done: (error?: unknown) => void,
): void {
  void handler?.(req, res, (error?: unknown) => {
    if (error !== undefined || others.length === 0) done(error);
    else run(others, req, res, done);
  });
}

const PARAMETERS = '#/components/parameters/';

/**
 * What the validator is given of the document: paths from the root, whatever host the document is read from; parameters
 * where they are used, and not the free-form one, which stands for names it does not bear itself.
 */
function toValidated(document: OpenApiDocument, holds: (path: string) => boolean): object {
  const isFreeForm = (item: unknown) =>
    typeof item === 'object' && item !== null && '$ref' in item && item.$ref === `${PARAMETERS}attributes`;
  const { parameters } = document.components as { parameters: Record<string, unknown> };
  const strip = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.filter((item) => !isFreeForm(item)).map(strip);
    if (typeof value !== 'object' || value === null) return value;
    if ('$ref' in value && String(value.$ref).startsWith(PARAMETERS))
      return strip(parameters[String(value.$ref).slice(PARAMETERS.length)]);
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, strip(item)]));
  };
  const paths = Object.fromEntries(
    Object.entries(document.paths as Record<string, unknown>).filter(([path]) => holds(path)),
  );
  return { ...(strip({ ...document, paths }) as object), servers: [{ url: '/' }] };
}

const isSearch = (path: string) => /\/search\/?$/i.test(path);

/** The validator's own handlers for the paths that `holds` says. */
function createHandlers(document: OpenApiDocument, holds: (path: string) => boolean): RequestHandler[] {
  return middleware({
    apiSpec: toValidated(document, holds) as never,
    validateRequests: { allErrors: false, coerceTypes: false },
    // The document itself is checked by a test; at every start it would cost a third of a second.
    validateApiSpec: false,
    validateResponses: false,
    validateSecurity: false,
    fileUploader: false,
    ignoreUndocumented: true,
  }) as RequestHandler[];
}

/** Runs the validator; `done` is given what it refuses. */
type Check = (shadow: Shadow, res: Response, done: (error?: unknown) => void) => void;

const plainTypes: readonly unknown[] = ['string', 'integer', 'number', 'boolean'];

/**
 * What later requests need of an operation. The check is compiled for the first one; of the parameters, the validator then
 * takes apart lists and objects, and looks at each of all the others for that. For a body of another type it compiles
 * another check, from all parameters; a GET has none.
 */
function toKnown(method: string, operation: Operation): Operation {
  if (method !== 'GET') return operation;
  const { schema } = operation;
  const parameters = schema.parameters?.filter((one) => !plainTypes.includes(one.schema?.type)) ?? [];
  return { ...operation, schema: { ...schema, parameters } };
}

/**
 * All searches are one path: which operation of the document a method is there, the validator is asked once. It compiles
 * the path's pattern for each request; the last of its handlers is the one that checks.
 */
function createSearchCheck(document: OpenApiDocument): Check {
  const handlers = createHandlers(document, isSearch);
  const last = handlers.slice(-1);
  const operations = new Map<string, Operation>();
  return (shadow, res, done) => {
    const { method } = shadow;
    const operation = operations.get(method);
    if (operation === undefined) {
      run(handlers, shadow, res, (error) => {
        if (shadow.openapi !== undefined) operations.set(method, toKnown(method, shadow.openapi));
        done(error);
      });
    } else {
      shadow.openapi = operation;
      run(last, shadow, res, done);
    }
  };
}

function createCheck(document: OpenApiDocument): Check {
  const ofSearch = createSearchCheck(document);
  let ofOthers: RequestHandler[] | undefined;
  return (shadow, res, done) => {
    if (isSearch(shadow.originalUrl)) return ofSearch(shadow, res, done);
    ofOthers ??= createHandlers(document, (path) => !isSearch(path));
    run(ofOthers, shadow, res, done);
  };
}

/** Checks requests against the document, and tells faults instead of throwing the first. */
export function createRequestValidator(document: OpenApiDocument): RequestValidator {
  const check = createCheck(document);
  return (req, parameters) =>
    new Promise((resolve, reject) => {
      check(toShadow(req, parameters), req.res as Response, (error) => {
        if (error === undefined) return resolve([]);
        const { status, errors } = error as ValidatorError;
        if (status === 400 && errors !== undefined) resolve(toDeepest(errors.map(toFault)));
        else reject(error);
      });
    });
}
