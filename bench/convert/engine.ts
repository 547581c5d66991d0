import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { paths } from '../paths.js';
import type { FeatureType, Open, Source } from './conversion.js';

/** A variant of our converter: a compiled module of ours and its export. */
export interface Engine {
  readonly name: string;
  /** Below `dist`. */
  readonly module: string;
  /** With the face of `createGmlConverter`. */
  readonly export: string;
}

/** What the bench uses of the package. */
interface Converter {
  push(bytes: Uint8Array): { readonly bytes: Uint8Array };
  end(): { readonly bytes: Uint8Array };
  readonly numberOfFeatures: number;
  /** The loop in use (`typescript`, `simd`), where the converter says so. */
  readonly engine?: string;
}

type CreateConverter = (options: {
  readonly featureType: FeatureType;
  readonly crs: (srsName: string | undefined) => { readonly swap: boolean };
}) => Converter;

const importBuilt = (module: string) => import(pathToFileURL(join(paths.dist, module)).href);

export async function loadEngine(engine: Engine, { featureType, swap }: Source): Promise<Open> {
  const create = (await importBuilt(engine.module))[engine.export] as CreateConverter;
  return (sink) => {
    const converter = create({ featureType, crs: () => ({ swap }) });
    const take = ({ bytes }: { readonly bytes: Uint8Array }) => {
      if (bytes.length > 0) sink(bytes);
    };
    return {
      push: (chunk) => take(converter.push(chunk)),
      end() {
        take(converter.end());
        return converter.numberOfFeatures;
      },
      variant: converter.engine,
    };
  };
}

/** The feature type of a layer by our own reader of schemas: all that is measured are told the same. */
export async function readFeatureType(schema: string, typeName: string): Promise<FeatureType> {
  const { readFeatureTypes } = (await importBuilt('gml/index.js')) as {
    readFeatureTypes(xsd: string): FeatureType[];
  };
  const found = readFeatureTypes(schema).find(({ name }) => name === typeName);
  if (found === undefined) throw new Error(`the schema declares no ${typeName}`);
  return found;
}
