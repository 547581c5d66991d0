export { createApp, type HttpConfig, type HttpParts, type Module } from './app.js';
export { createHttpServer, stop } from './server.js';
