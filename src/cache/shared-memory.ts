import { LRUCache } from 'lru-cache';
import type { Begun, LeaseRequest, MemberState, SharedStore } from './shared.js';

/** Values and parts, by estimated bytes; leases, pools and counters are few and small. */
export interface SharedMemoryOptions {
  readonly maxBytes: number;
  /** Milliseconds of any clock. */
  readonly now?: () => number;
}

interface Pool {
  readonly born: number;
  readonly members: Map<string, { readonly held: number; readonly wanted: number; readonly until: number }>;
}

const MAX_COUNTERS = 100_000;

/** The store of one process, for it and for those it is the parent of. */
export function createSharedMemory({
  maxBytes,
  now = () => performance.now(),
}: SharedMemoryOptions): SharedStore {
  const kept = new LRUCache<string, { readonly value: string | Uint8Array; readonly until: number }>({
    maxSize: Math.max(1, maxBytes),
    sizeCalculation: ({ value }, key) => 512 + 2 * key.length + value.length,
  });
  const leases = new Map<
    string,
    { readonly owner: string; readonly until: number; readonly at?: string | undefined }
  >();
  const pools = new Map<string, Pool>();
  const counters = new LRUCache<string, { hits: number; readonly until: number }>({ max: MAX_COUNTERS });

  function look(key: string) {
    const found = kept.get(key);
    if (found !== undefined && now() < found.until) return found;
    kept.delete(key);
    return undefined;
  }

  function toPool(name: string): Pool {
    const pool = pools.get(name) ?? { born: now(), members: new Map() };
    pools.set(name, pool);
    return pool;
  }

  function take(key: string, { owner, leaseMs, at }: LeaseRequest): Pick<Begun, 'lease' | 'at'> {
    const lease = leases.get(key);
    if (lease !== undefined && now() < lease.until) return { lease: 'others', at: lease.at };
    leases.set(key, { owner, until: now() + leaseMs, at });
    return { lease: 'mine' };
  }

  const isOwner = (key: string, owner: string) => {
    const lease = leases.get(key);
    return lease?.owner === owner && now() < lease.until;
  };

  return {
    async begin(key, request) {
      const found = look(key);
      const value =
        found === undefined ? undefined : { value: String(found.value), leftMs: found.until - now() };
      if (value !== undefined && value.leftMs > request.oldMs) return { lease: 'notNeeded', kept: value };
      return { ...take(key, request), kept: value };
    },
    async renew(key, owner, leaseMs) {
      if (!isOwner(key, owner)) return false;
      leases.set(key, { ...leases.get(key), owner, until: now() + leaseMs });
      return true;
    },
    async release(key, owner) {
      if (leases.get(key)?.owner === owner) leases.delete(key);
    },
    async finish(key, { owner, value, keepMs, part }) {
      if (part !== undefined)
        kept.set(`${key} ${part.name}`, { value: part.bytes, until: now() + part.keepMs });
      kept.set(key, { value, until: now() + keepMs });
      if (leases.get(key)?.owner === owner) leases.delete(key);
    },
    async get(key) {
      return look(key)?.value as string | undefined;
    },
    async set(key, value, keepMs) {
      kept.set(key, { value, until: now() + keepMs });
    },
    async delete(key) {
      kept.delete(key);
    },
    async getPart(key, part) {
      return look(`${key} ${part}`)?.value as Uint8Array | undefined;
    },
    async setPart(key, part, bytes, keepMs) {
      kept.set(`${key} ${part}`, { value: bytes, until: now() + keepMs });
    },
    async share(name, { member, total, held, wanted, wish, ttlMs, graceMs }) {
      const { born, members } = toPool(name);
      for (const [other, { until }] of members) if (until <= now()) members.delete(other);
      const others: MemberState[] = [...members]
        .filter(([other]) => other !== member)
        .map(([other, state]) => ({ name: other, held: state.held, wanted: state.wanted }));
      const free = Math.max(0, total - others.reduce((sum, other) => sum + other.held, 0));
      const mayGrow = now() - born >= graceMs;
      const granted = Math.min(mayGrow ? Math.max(held, wish) : held, free);
      members.set(member, { held: granted, wanted, until: now() + ttlMs });
      return { granted, others };
    },
    async leave(name, member, afterMs) {
      const state = pools.get(name)?.members.get(member);
      if (state !== undefined)
        pools.get(name)?.members.set(member, { ...state, wanted: 0, until: now() + afterMs });
    },
    async count(key, windowMs) {
      const open = counters.get(key);
      const counter = open !== undefined && now() < open.until ? open : { hits: 0, until: now() + windowMs };
      counter.hits += 1;
      counters.set(key, counter);
      return { hits: counter.hits, leftMs: counter.until - now() };
    },
  };
}
