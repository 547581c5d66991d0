export { createApp, type HttpConfig } from './app.js';
export { createHttpServer, stop } from './server.js';
