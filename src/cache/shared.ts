/** A value that processes share, and how long it is still kept. */
export interface Kept {
  readonly value: string;
  readonly leftMs: number;
}

export interface LeaseRequest {
  /** Names who makes the value; never the same twice. */
  readonly owner: string;
  readonly leaseMs: number;
  /** A value that is kept for no longer than this is old: it is told, and made anew. */
  readonly oldMs: number;
  /** Where others may read the value while it is made, told to them as it stands. */
  readonly at?: string | undefined;
}

/** `mine`: the value is to be made by who asked; `others`: somebody makes it; `notNeeded`: it is there. */
export interface Begun {
  readonly lease: 'mine' | 'others' | 'notNeeded';
  readonly kept?: Kept | undefined;
  /** Of others: where they said it can be read; absent where they did not, or the store does not tell. */
  readonly at?: string | undefined;
}

/** A value that is made, by whoever has the lease. */
export interface Made {
  readonly owner: string;
  readonly value: string;
  readonly keepMs: number;
  readonly part?: { readonly name: string; readonly bytes: Uint8Array; readonly keepMs: number } | undefined;
}

/** What one of the members of a pool holds of it, and how much it would use. */
export interface MemberState {
  readonly name: string;
  readonly held: number;
  readonly wanted: number;
}

export interface ShareRequest {
  readonly member: string;
  /** Of which shares are given: never more of it than there is, in all. */
  readonly total: number;
  readonly held: number;
  readonly wanted: number;
  /** Beyond `held`: as much of it as is free is given. */
  readonly wish: number;
  /** How long the share is the member's without another word. */
  readonly ttlMs: number;
  /** How long a new pool confirms what its members hold already, and gives nothing: it may be one that was lost. */
  readonly graceMs: number;
}

export interface Shared {
  readonly granted: number;
  readonly others: readonly MemberState[];
}

/**
 * What the processes of one service have in common, all of it for a while. Keys are digests: nothing in them tells of a
 * caller or a key. Every method rejects, and soon, where the store cannot be reached or has no room: whoever asks goes on
 * without.
 */
export interface SharedStore {
  /** The value, or a lease on making it, in one step. */
  begin(key: string, request: LeaseRequest): Promise<Begun>;
  /** False: the lease is gone, and may be another's. */
  renew(key: string, owner: string, leaseMs: number): Promise<boolean>;
  /** Gives the lease back, where it is the owner's. */
  release(key: string, owner: string): Promise<void>;
  /** Keeps the value, with the last of its parts, and gives the lease back, in one step. */
  finish(key: string, made: Made): Promise<void>;
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string, keepMs: number): Promise<void>;
  delete(key: string): Promise<void>;
  /** Bytes that a value is made of, by a name of their own. */
  getPart(key: string, part: string): Promise<Uint8Array | undefined>;
  setPart(key: string, part: string, bytes: Uint8Array, keepMs: number): Promise<void>;
  share(pool: string, request: ShareRequest): Promise<Shared>;
  /** The share is free after so long. */
  leave(pool: string, member: string, afterMs: number): Promise<void>;
  /** One more within the window that is open; how many those are, and how long it is open still. */
  count(key: string, windowMs: number): Promise<{ readonly hits: number; readonly leftMs: number }>;
}
