import { connect, createServer, type Server, type Socket } from 'node:net';
import { ServiceError, toMessage } from '../errors.js';
import {
  type Answer,
  type Caller,
  createFeatures,
  type FeatureStep,
  type PageEnd,
  type SearchQuery,
} from '../query/index.js';
import { Abort, type Signal } from '../signal.js';
import { encodePart, readPart } from './parts.js';

/** A question as one process puts it to another on this machine. */
export interface RelayedQuestion {
  readonly name: string;
  readonly query: SearchQuery;
  readonly credentials: Caller['credentials'];
  /** Whether one will do that is kept and not fresh any more. */
  readonly isOldToo: boolean;
}

/** The answer that is being made here, or is kept; undefined: nothing is asked of anybody for it. */
export type Underway = (question: RelayedQuestion, signal: Signal) => Promise<Answer | undefined>;

/** Frames: a letter, the length of what follows (4 bytes, little-endian), and that. */
const QUESTION = 'Q';
const NOTHING = 'N';
const HEAD = 'H';
const PART = 'P';
const END = 'E';
/** Still there: what is asked for has not come yet. */
const PATIENCE = 'W';
const PATIENCE_MS = 400;
/** Who is silent for so long is taken for dead, as one whose lease has run out. */
const SILENT_MS = 2000;
const PREFIX_BYTES = 5;
/** A geometry of the largest body that can be allowed, and some more. */
const MAX_FRAME_BYTES = 256 * 2 ** 20;

function toFrame(letter: string, payload: Uint8Array): Buffer {
  const prefix = Buffer.allocUnsafe(PREFIX_BYTES);
  prefix.write(letter, 'latin1');
  prefix.writeUInt32LE(payload.length, 1);
  return Buffer.concat([prefix, payload]);
}

const toJsonFrame = (letter: string, value: unknown) => toFrame(letter, Buffer.from(JSON.stringify(value)));

interface Frame {
  readonly letter: string;
  readonly payload: Buffer;
}

/** Reads no further than it is asked for: who reads slowly is sent slowly. @throws where it is no frame of ours */
async function* readFrames(socket: Socket): AsyncGenerator<Frame, void, void> {
  let held: Buffer[] = [];
  let length = 0;
  let wanted = PREFIX_BYTES;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    held.push(chunk);
    length += chunk.length;
    while (length >= wanted) {
      const bytes = Buffer.concat(held, length);
      const end = PREFIX_BYTES + bytes.readUInt32LE(1);
      if (end > MAX_FRAME_BYTES) throw new Error('not a frame');
      const isWhole = length >= end;
      const rest = isWhole ? bytes.subarray(end) : bytes;
      held = [rest];
      length = rest.length;
      wanted = isWhole ? PREFIX_BYTES : end;
      if (isWhole)
        yield { letter: bytes.toString('latin1', 0, 1), payload: bytes.subarray(PREFIX_BYTES, end) };
    }
  }
}

async function write(socket: Socket, frame: Buffer): Promise<void> {
  if (socket.write(frame) || socket.destroyed) return;
  await new Promise<void>((resolve) => {
    const go = () => {
      socket.off('drain', go).off('close', go);
      resolve();
    };
    socket.on('drain', go).on('close', go);
  });
}

/** What stands before the features. */
type Head = Pick<Answer, 'isPrivate' | 'validity'>;

async function serve(socket: Socket, underway: Underway): Promise<void> {
  const left = new Abort();
  socket.on('error', () => {}); // it is closed then
  socket.on('close', () => left.abort());
  const asked = await readFrames(socket).next();
  if (asked.done || asked.value.letter !== QUESTION) return void socket.destroy();
  const question = JSON.parse(asked.value.payload.toString()) as RelayedQuestion;
  const living = setInterval(() => {
    if (socket.writable && socket.writableLength === 0) socket.write(toFrame(PATIENCE, new Uint8Array()));
  }, PATIENCE_MS).unref();
  socket.once('close', () => clearInterval(living));
  // what went wrong is found out by whoever asks the upstream itself
  const answer = await underway(question, left).catch(() => undefined);
  if (answer === undefined) return void socket.end(toJsonFrame(NOTHING, null));
  const { features, isPrivate, validity } = answer;
  try {
    const head: Head = { isPrivate, ...(validity && { validity }) };
    await write(socket, toJsonFrame(HEAD, head));
    for (;;) {
      const step = await features.next();
      if (step.done) return void socket.end(toJsonFrame(END, step.value));
      await write(socket, toFrame(PART, encodePart([step.value])));
      left.throwIfAborted();
    }
  } finally {
    features.return(undefined as never).catch(() => {});
  }
}

/**
 * Lets other processes of this machine read the answers that are made here, while they are made. The socket is a file:
 * whoever may open it may ask, so it belongs into a folder of the service's own.
 * @throws where the file cannot be made
 */
export async function listenForRelays(path: string, underway: Underway): Promise<Server> {
  const server = createServer((socket) => {
    serve(socket, underway).catch(() => socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // exclusive: by this process itself, where it is one of a cluster
    server.listen({ path, exclusive: true }, resolve);
  });
  return server.unref();
}

/**
 * The answer that is made at `path`, from its first feature on; undefined where it cannot be had there, whyever. An answer
 * that breaks off later is a late fault, as the upstream's own would be.
 */
export async function askRelay(
  path: string,
  question: RelayedQuestion,
  signal: Signal,
): Promise<Answer | undefined> {
  const socket = connect(path);
  const leave = () => void socket.destroy();
  signal.addEventListener('abort', leave, { once: true });
  socket.on('error', () => {}); // told by the frames that are missing
  socket.on('close', () => signal.removeEventListener('abort', leave));
  socket.write(toJsonFrame(QUESTION, question));
  const take = createTaker(socket);
  const first = await take();
  if (first?.letter !== HEAD) {
    socket.destroy();
    return undefined;
  }
  const head = JSON.parse(first.payload.toString()) as Head;
  return { ...head, features: createFeatures(() => toStep(take), leave) };
}

/** Gives the next frame that says something; undefined: there is none, or none comes. */
function createTaker(socket: Socket): () => Promise<Frame | undefined> {
  const frames = readFrames(socket);
  const takeOne = async () => {
    const timer = setTimeout(() => socket.destroy(), SILENT_MS);
    const step = await frames.next().catch(() => undefined);
    clearTimeout(timer);
    return step?.value ?? undefined;
  };
  return async () => {
    for (;;) {
      const frame = await takeOne();
      if (frame?.letter !== PATIENCE) return frame;
    }
  };
}

async function toStep(take: () => Promise<Frame | undefined>): Promise<FeatureStep> {
  const frame = await take();
  if (frame?.letter === PART) return { done: false, value: readPart(frame.payload) };
  if (frame?.letter !== END) throw new ServiceError('unavailable', toMessage('answers.partMissing'));
  return { done: true, value: JSON.parse(frame.payload.toString()) as PageEnd };
}
