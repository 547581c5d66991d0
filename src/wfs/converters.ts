import { createGmlConverter, type GmlConverter, type GmlConverterOptions } from '../gml/index.js';

/** Converters that have read an answer, for the next answers of the same kind: they know the markup already. */
export interface Converters {
  take(options: GmlConverterOptions): GmlConverter;
  /** Its answer is over, or not wanted any more. */
  give(converter: GmlConverter, options: GmlConverterOptions): void;
}

/** Each holds a megabyte at most. */
const MOST_IDLE = 16;

interface Idle {
  readonly converter: GmlConverter;
  readonly options: GmlConverterOptions;
}

/** Options are of one kind when they are made of the same parts: the parts live as long as what was learnt of a layer. */
export function createConverters(): Converters {
  let idle: Idle[] = [];
  return {
    take(options) {
      const at = idle.findLastIndex((one) => isSame(one.options, options));
      const [known] = at < 0 ? [] : idle.splice(at, 1);
      return known?.converter ?? createGmlConverter(options);
    },
    give(converter, options) {
      if (!converter.reuse()) return;
      idle = [...idle.slice(1 - MOST_IDLE), { converter, options }];
    },
  };
}

function isSame(one: GmlConverterOptions, other: GmlConverterOptions): boolean {
  const isOfOneLayer = one.crs === other.crs && one.featureType === other.featureType;
  return isOfOneLayer && areSame(one.propertyNames, other.propertyNames);
}

function areSame(names: readonly string[] | undefined, others: readonly string[] | undefined): boolean {
  if (names === undefined || others === undefined) return names === others;
  return names.length === others.length && names.every((name, i) => name === others[i]);
}
