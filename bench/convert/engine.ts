import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { paths } from '../paths.js';
import type { FeatureType, Open, Source } from './conversion.js';

/** Which of the converter's loops. */
export type Engine = 'simd' | 'typescript';

/** What the bench uses of the package. */
interface Converter {
  push(bytes: Uint8Array): { readonly bytes: Uint8Array };
  end(): { readonly bytes: Uint8Array };
  readonly numberOfFeatures: number;
  readonly engine: Engine;
}

type CreateConverter = (options: {
  readonly featureType: FeatureType;
  readonly crs: (srsName: string | undefined) => { readonly swap: boolean };
  readonly engine: Engine;
}) => Converter;

const importBuilt = () => import(pathToFileURL(join(paths.dist, 'gml/index.js')).href);

export async function loadEngine(engine: Engine, { featureType, swap }: Source): Promise<Open> {
  const { createGmlConverter } = (await importBuilt()) as { createGmlConverter: CreateConverter };
  return (sink) => {
    const converter = createGmlConverter({ featureType, crs: () => ({ swap }), engine });
    if (converter.engine !== engine) throw new Error(`there is no ${engine} here`);
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
  const { readFeatureTypes } = (await importBuilt()) as {
    readFeatureTypes(xsd: string): FeatureType[];
  };
  const found = readFeatureTypes(schema).find(({ name }) => name === typeName);
  if (found === undefined) throw new Error(`the schema declares no ${typeName}`);
  return found;
}
