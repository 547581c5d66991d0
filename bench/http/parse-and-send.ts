// What API Carto does: GeoJSON of the upstream parsed by axios, a property put into every feature, all of it written again
// by Express. PORT=... UPSTREAM=... node parse-and-send.js
import { Agent } from 'node:http';
import axios from 'axios';
import express from 'express';

interface Collection {
  readonly features: { readonly properties: Record<string, unknown> }[];
}

const httpAgent = new Agent({ keepAlive: true });
const { UPSTREAM = '', PORT } = process.env;

express()
  .get('/health/live', (_, response) => void response.end())
  .get('/{*path}', async (request, response) => {
    const { data } = await axios.get<Collection>(`${UPSTREAM}${request.url}`, {
      httpAgent,
      maxContentLength: Number.POSITIVE_INFINITY,
    });
    for (const { properties } of data.features) {
      const { code_dep, code_com } = properties;
      properties.code_insee = code_dep && code_com ? `${code_dep}${code_com}` : null;
    }
    response.json(data);
  })
  .listen(Number(PORT), '127.0.0.1');
