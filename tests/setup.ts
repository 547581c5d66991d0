import net from 'node:net';

// No test of this suite leaves the machine. nock is started only by the files that use it: it reads and writes HTTP its own
// way, and breaks off large answers of real servers on the loopback.
const LOOPBACK = /^(127\.\d+\.\d+\.\d+|localhost|\[?::1\]?|::ffff:127\.\d+\.\d+\.\d+)$/;
const guarded = Symbol.for('carto-wfs.tests.guarded');

const socket = net.Socket.prototype as net.Socket & { [guarded]?: true };
if (socket[guarded] === undefined) {
  const { connect } = socket;
  socket[guarded] = true;
  socket.connect = function guard(this: net.Socket, ...args: unknown[]) {
    const [first] = (Array.isArray(args[0]) ? args[0] : args) as [
      { host?: string; path?: string } | undefined,
    ];
    const host = typeof first === 'object' ? first?.host : undefined;
    if (host !== undefined && !LOOPBACK.test(host)) throw new Error(`a test connects to ${host}`);
    return connect.apply(this, args as never);
  } as typeof connect;
}
