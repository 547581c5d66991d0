// A proxy as it is usually written: Express, and axios with a stream. PORT=... UPSTREAM=... node express-axios.js
import { Agent } from 'node:http';
import { pipeline, type Readable } from 'node:stream';
import axios from 'axios';
import express from 'express';

const httpAgent = new Agent({ keepAlive: true });
const { UPSTREAM = '', PORT } = process.env;

express()
  .get('/{*path}', async (request, response) => {
    const upstream = await axios.get<Readable>(`${UPSTREAM}${request.url}`, {
      responseType: 'stream',
      httpAgent,
    });
    response.status(upstream.status).type(String(upstream.headers['content-type']));
    pipeline(upstream.data, response, () => {});
  })
  .listen(Number(PORT), '127.0.0.1');
