import type { SharedValues } from '../cache/index.js';
import type { FeatureType } from '../gml/index.js';
import type { Abilities, SeenAbilities } from './abilities.js';
import type { Capabilities } from './capabilities.js';
import type { Experience, SeenExperience } from './experience.js';
import type { Learnt } from './learning.js';

/** What processes over one upstream tell each other of it; without others, everything is made here. */
export interface Lessons {
  capabilities(identity: string, keepMs: number, read: () => Promise<Capabilities>): Promise<Capabilities>;
  schema(name: string, keepMs: number, read: () => Promise<FeatureType>): Promise<FeatureType>;
  /** With it goes what was seen of the upstream while it was learnt. */
  layer(
    typeName: string,
    toKeepMs: (found: Learnt) => number,
    abilities: Abilities,
    learn: () => Promise<Learnt>,
  ): Promise<Learnt>;
  /** Takes what others have experienced, and tells them what is experienced here from now on. */
  share(typeName: string, experience: Experience): Promise<void>;
  /** The layer is learnt anew by whoever asks next. */
  forget(typeName: string): void;
  close(): void;
}

const TELL_MS = 5000;
const KEEP_MS = 6 * 60 * 60_000;

const alone: Lessons = {
  capabilities: (_identity, _keepMs, read) => read(),
  schema: (_name, _keepMs, read) => read(),
  layer: (_typeName, _toKeepMs, _abilities, learn) => learn(),
  async share() {},
  forget() {},
  close() {},
};

type WrittenCapabilities = Omit<Capabilities, 'srsNames'> & {
  readonly srsNames: readonly (readonly [string, readonly string[]])[];
};

interface Lesson {
  readonly found: Learnt;
  readonly abilities: SeenAbilities;
}

export function createLessons(values: SharedValues | undefined): Lessons {
  if (values === undefined) return alone;
  const experiences = new Map<string, Experience>();
  const told = new Map<string, string>();

  function tell(): void {
    for (const [typeName, experience] of experiences) {
      const seen = JSON.stringify(experience.seen());
      if (told.get(typeName) === seen) continue;
      told.set(typeName, seen);
      values?.set(`experience ${typeName}`, KEEP_MS, experience.seen());
    }
  }
  const telling = setInterval(tell, TELL_MS).unref();

  return {
    async capabilities(identity, keepMs, read) {
      const written = await values.load<WrittenCapabilities>(
        `capabilities ${identity}`,
        () => keepMs,
        async () => {
          const capabilities = await read();
          return { ...capabilities, srsNames: [...capabilities.srsNames] };
        },
      );
      return { ...written, srsNames: new Map(written.srsNames) };
    },
    schema: (name, keepMs, read) => values.load(`schema ${name}`, () => keepMs, read),
    async layer(typeName, toKeepMs, abilities, learn) {
      const lesson = await values.load<Lesson>(
        `layer ${typeName}`,
        ({ found }) => toKeepMs(found),
        async () => {
          const found = await learn();
          return { found, abilities: abilities.seen() };
        },
      );
      abilities.adopt(lesson.abilities);
      return lesson.found;
    },
    async share(typeName, experience) {
      const seen = await values.get<SeenExperience>(`experience ${typeName}`);
      if (seen !== undefined) experience.adopt(seen);
      experiences.set(typeName, experience);
    },
    forget(typeName) {
      experiences.delete(typeName);
      values.delete(`layer ${typeName}`);
      values.delete(`experience ${typeName}`);
    },
    close: () => clearInterval(telling),
  };
}
